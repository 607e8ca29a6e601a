import { formatAddress } from '../../io/net/host-address.ts';
import { base64Bytes } from '../../protocol/base/text-codec.ts';
import { TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import type { Client, ClientEvents } from './client.ts';
import { noticeText } from './client-texts.ts';
import { StreamClient, type StreamClientOptions } from './stream-client.ts';

const setsOf = (texts: readonly string[]): Uint8Array[] => texts.map(base64Bytes).filter((set) => set !== undefined);

/** A client of dropframe's own sender (`dropframe://`). */
export const dropframeClient =
  (options: Omit<StreamClientOptions, keyof ClientEvents | 'onNotice' | 'onWelcome'>) =>
  (events: ClientEvents): Client => {
    const client = new StreamClient({
      ...options,
      ...events,
      onWaiting: (cause) => events.onWaiting(`waiting for the sender at ${formatAddress(options)} (${cause})`),
      onNotice: (notice) => events.onWaiting(noticeText(notice, options)),
      onWelcome: ({ codec: codecName, media, parameterSets, sound, latencyMs, position }) =>
        events.onStream({
          codecName,
          media,
          parameterSets: setsOf(parameterSets),
          sound: sound && {
            codecName: sound.codec,
            decoder: sound.decoder,
            parameterSets: setsOf(sound.parameterSets),
          },
          latencyMs,
          position,
        }),
    });
    return {
      get sessions() {
        return client.sessions;
      },
      get sound() {
        return client.sound;
      },
      get transports() {
        return client.transports;
      },
      get sessionCauses() {
        return client.sessionCauses;
      },
      get hostFaults() {
        return client.hostFaults;
      },
      encrypted: (options.fingerprint ?? options.passphrase) !== undefined,
      get segments() {
        return client.segments;
      },
      get modeledTcp() {
        const { transport, link, congestionControl = TCP_DEFAULTS.congestionControl } = options;
        return transport === 'tcp' && link ? { congestionControl, sessions: client.modeledTcp } : undefined;
      },
      get stalledFor() {
        return client.stalledFor;
      },
      run: () => client.run(),
      stop: () => client.stop(),
      setPlaying: (playing) => client.setPlaying(playing),
      requestKeyFrame: () => client.requestKeyFrame(),
    };
  };
