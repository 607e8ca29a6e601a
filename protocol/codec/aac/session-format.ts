import { hexBytes, hexText } from '../../base/text-codec.ts';
import type { SessionFormat } from '../codec.ts';
import { channelsOf, parseAudioSpecificConfig } from './audio-specific-config.ts';

/** AAC in session descriptions (RFC 3640 §4.1, mode AAC-hbr). */
export const AAC_SESSION: SessionFormat = {
  encodingName: 'mpeg4-generic',
  channels([config]) {
    const parsed = config && parseAudioSpecificConfig(config);
    return (parsed && channelsOf(parsed)) ?? 2;
  },

  formatParameters([config]) {
    return [
      // An audio stream (5) of any profile (254: none specified, ISO/IEC 14496-3 table 1.14).
      ...['streamtype=5', 'profile-level-id=254', 'mode=AAC-hbr'],
      ...['sizelength=13', 'indexlength=3', 'indexdeltalength=3'],
      ...(config === undefined ? [] : [`config=${hexText(config)}`]),
    ];
  },

  parameterSetsIn(parameters) {
    const values = new Map(
      parameters.map((parameter) => {
        const [name = '', ...value] = parameter.trim().split('=');
        return [name.toLowerCase(), value.join('=')] as const;
      }),
    );
    const isHighBitRate = values.get('mode')?.toLowerCase() === 'aac-hbr';
    const config = hexBytes(values.get('config') ?? '');
    if (!isHighBitRate || config === undefined || parseAudioSpecificConfig(config) === undefined) return undefined;
    return [config];
  },
};
