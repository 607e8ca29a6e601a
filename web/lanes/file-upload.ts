import { UPLOAD_BYTES_MAX } from '../../protocol/page/lane-message.ts';
import { element } from '../player/statistics-panel.ts';
import type { MessageBar } from './message-bar.ts';
import type { PageServices } from './page-services.ts';

/** Takes the video that is chosen in the file field or dropped on the page: uploads it, or plays it here. */
export class FileUpload {
  readonly #message: MessageBar;
  readonly #services: PageServices;

  constructor(message: MessageBar, services: PageServices) {
    this.#message = message;
    this.#services = services;
    const input = element('file', HTMLInputElement);
    input.addEventListener('change', () => {
      this.#take(input.files?.[0]);
      input.value = '';
    });
    document.addEventListener('dragover', (event) => {
      event.preventDefault();
      document.body.classList.add('dropping');
    });
    document.addEventListener('dragleave', () => document.body.classList.remove('dropping'));
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      document.body.classList.remove('dropping');
      this.#take(event.dataTransfer?.files[0]);
    });
  }

  #take(file: File | undefined): void {
    if (file && this.#services.play) void this.#play(file);
    else if (file) this.#upload(file);
  }

  async #play(file: File): Promise<void> {
    try {
      await this.#services.play?.(file);
      this.#message.hide();
    } catch (error) {
      this.#message.refuse((error as Error).message);
    }
  }

  #upload(file: File): void {
    const message = this.#message;
    if (file.size > UPLOAD_BYTES_MAX) {
      return message.refuse(`${file.name} is too large for the page: run "dropframe demo ${file.name}" instead.`);
    }
    const request = new XMLHttpRequest();
    const task = message.task(`Sending ${file.name} to dropframe`, () => request.abort());
    request.upload.onprogress = ({ loaded, total }) => task.update(loaded / total);
    request.onload = () => {
      if (request.status < 300) message.hide();
      else message.refuse(request.responseText);
    };
    request.onerror = () => message.refuse(`${file.name} could not be sent.`);
    request.onloadend = () => task.end();
    request.open('POST', `/source?name=${encodeURIComponent(file.name)}`);
    request.send(file);
  }
}
