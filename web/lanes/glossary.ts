import { element } from '../player/statistics-panel.ts';

/** Explanations of the page's words, by the `data-term` of the elements that show them. */
const TERMS: Readonly<Record<string, readonly [word: string, meaning: string]>> = {
  packet: [
    'Packet',
    'The unit in which a network carries data, here about 1,200 bytes; one picture takes from one packet to a few dozen.',
  ],
  udp: [
    'UDP',
    'A way to send packets that neither repeats a lost packet nor puts packets in order, so that nothing has to wait: what to do about a loss is left to the program.',
  ],
  tcp: [
    'TCP',
    'The way in which web pages and files are sent: every byte arrives, and in order, so that one lost packet holds back everything sent after it.',
  ],
  jitter: ['Jitter', 'How much the delay of the network changes from one packet to the next.'],
  burst: ['Burst', 'Several packets lost in a row, as on a disturbed radio link.'],
  none: [
    'none',
    'UDP without any recovery: lost packets stay lost, and packets that arrive out of order are discarded.',
  ],
  reorder: [
    'reorder',
    'UDP without recovery of lost packets, but packets that arrive out of order are put back in order until their deadline.',
  ],
  nack: [
    'nack',
    'The receiver asks the sender for each missing packet again, which takes at least one round trip (NACK: negative acknowledgement).',
  ],
  fec: [
    'fec',
    'Forward error correction: the sender adds repair packets in advance, from which the receiver rebuilds lost ones without asking.',
  ],
  hybrid: ['hybrid', 'Both: nack while there is time for an answer, and fec where an answer would come too late.'],
  adaptive: ['adaptive', 'Hybrid, with a video encoder that lowers its bit rate to what the path carries.'],
  kernel: [
    'TCP kernel',
    'The TCP of this computer’s own operating system, in place of the model in the other TCP lanes.',
  ],
  congestion: [
    'reno, cubic, bbr',
    'Three rules by which TCP decides how fast to send: reno and cubic slow down at each loss, bbr follows the bandwidth that it measures.',
  ],
  right: [
    'Pictures shown right',
    'Frames that were shown whole, as a share of all frames whose outcome is known. A frame that is shown although a picture it builds on was lost is damaged, and does not count.',
  ],
  behind: [
    'Behind live',
    'Age of the newest shown frame: the time since the camera (here: the file) delivered it, as the network made it. What this browser adds is not part of it.',
  ],
  onTime: [
    'On time',
    'Frames that were complete by their deadline without recovery. The deadline is the lane’s latency after the fastest transit. Over TCP, frames that needed a TCP retransmission count here too.',
  ],
  recovered: [
    'Recovered',
    'Frames that were complete by their deadline thanks to a packet that was sent again or repaired. Always 0 over TCP, which hides its retransmissions.',
  ],
  late: [
    'Late',
    'Frames that were complete only after their deadline. TCP shows them late. UDP nack and hybrid mend them: they are decoded, since later frames build on them, and only the newest is shown. The others are “mended”. Without mending, UDP drops them.',
  ],
  lost: [
    'Lost',
    'Frames never shown; late frames are counted separately. A packet or a picture that the frame builds on was missing, or the sender dropped the frame (UDP: no room on the path; TCP: it had waited for 30 s).',
  ],
  sound: [
    'Sound missing',
    'Sound that was not there when it was due: lost, or over TCP late. A gap is concealed by a short fade. In the strip, each bar is a unit of sound: low green on time, teal recovered, orange late, tall red lost. The speaker button, or m, plays one lane; its pictures wait for their sound.',
  ],
  lag: [
    'Lag p50 / p95',
    'Time from the source to the receiver’s output, for frames that were shown: median and 95th percentile. Decoding is not included.',
  ],
  freezes: [
    'Freezes',
    'How often the video froze: a gap of at least three times the mean interval of the previous 30 frames, and at least 150 ms longer than it (W3C freezeCount). Counted when the video resumes.',
  ],
  overhead: [
    'Overhead',
    'Bytes sent towards the receiver beyond the video itself, as a share of the video’s bytes: headers down to IP, retransmissions, repair packets.',
  ],
  packetsLost: [
    'Packets lost',
    'Share of video packets whose first transmission the network dropped: at random, at a full queue, or by the button. Retransmissions and repair packets are not counted.',
  ],
  onLoss: [
    'After a lost frame',
    'Freeze holds the last good picture until the lost frame is mended or a key frame comes. “Show the damage” shows what still decodes.',
  ],
  discipline: [
    'Queue',
    'What the network does when more arrives than it carries. Tail drop fills the queue and drops the newest packets; CoDel drops early to keep the wait short; FQ-CoDel also separates flows; DualPI2 marks packets of L4S.',
  ],
  rates: [
    'Bit rate and capacity',
    'The last half minute, in Mb/s. Capacity and delivered bytes include headers and recovery; a dashed line is the target of a lane whose video follows the path. Beyond the top of the scale, the capacity is cut off. Cross traffic uses a part of the capacity.',
  ],
  frontier: [
    'Complete against late',
    'Upwards: frames shown, as a share of all frames with a known outcome; frames shown late count as shown. To the right: the lag of 95 % of the frames, on a logarithmic scale. While TCP stalls, the axis shows how overdue its next frame is, if that is more.',
  ],
  life: [
    'A frame’s life',
    'The packet timeline shows the last three seconds, newest at the right. Each line is a packet on its way from the sender (top) to the receiver (middle) and the screen (bottom). A flat stretch is a packet that waits for a missing one. The marks at the bottom are frames: green on time, teal recovered, orange late (hollow: mended, never shown), red and hollow lost. The number of a picture is its place in the video, from 0: the counter in the sample shows the same number.',
  ],
  lane: [
    'Lane',
    'One copy of the video on its way from a sender to a receiver. Each lane has its own network in each direction; all networks use the same random numbers, so packet n meets the same fate in every lane, and losses that depend on time fall at the same moments. TCP is a model of Linux TCP that runs in real time. UDP is dropframe itself.',
  ],
  latency: [
    'Latency',
    'How long every picture waits at the receiver, beyond the fastest transit, so that lost packets can be sent again. More latency, more complete; less, more live.',
  ],
  key: [
    'Key frame',
    'A picture that builds on no other. A decoder can start at it; after a loss without recovery the damage lasts until the next one.',
  ],
};
/** Distance between a word and its explanation, CSS pixels. */
const GAP = 6;

/** Explanations of words: beside the word on hover, focus and tap, and all together in a dialog. */
export class Glossary {
  readonly #hint = element('hint', HTMLElement);
  readonly #dialog = element('glossary', HTMLDialogElement);
  #shownFor: HTMLElement | undefined;

  constructor() {
    for (const [name, [word, meaning]] of Object.entries(TERMS)) {
      const [term, text] = [document.createElement('dt'), document.createElement('dd')];
      term.textContent = word;
      text.textContent = meaning;
      text.id = `meaning-${name}`;
      element('glossary-terms', HTMLElement).append(term, text);
    }
    for (const event of ['pointerover', 'focusin', 'click'] as const) {
      document.addEventListener(event, ({ target }) => this.#show(termAt(target)));
    }
    document.addEventListener('focusout', () => this.#show(undefined));
    document.addEventListener('scroll', () => this.#show(undefined), { passive: true, capture: true });
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#show(undefined);
    });
  }

  open(): void {
    this.#show(undefined);
    this.#dialog.showModal();
  }

  #show(term: HTMLElement | undefined): void {
    if (term === this.#shownFor) return;
    this.#shownFor?.removeAttribute('aria-describedby');
    this.#shownFor = term;
    const meaning = TERMS[term?.dataset.term ?? '']?.[1];
    this.#hint.hidden = meaning === undefined;
    if (!term || meaning === undefined) return;
    this.#hint.textContent = meaning;
    term.setAttribute('aria-describedby', 'hint');
    const { left, top, bottom } = term.getBoundingClientRect();
    const { width, height } = this.#hint.getBoundingClientRect();
    const x = Math.max(GAP, Math.min(left, innerWidth - width - GAP));
    const below = bottom + GAP;
    const y = below + height > innerHeight ? Math.max(GAP, top - height - GAP) : below;
    Object.assign(this.#hint.style, { left: `${x}px`, top: `${y}px` });
  }
}

const termAt = (target: EventTarget | null): HTMLElement | undefined =>
  (target instanceof Element && target.closest<HTMLElement>('.term')) || undefined;
