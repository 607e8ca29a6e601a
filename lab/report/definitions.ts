/** Definitions of the figures in a report, in the order of the table. */
export const DEFINITIONS: readonly (readonly [name: string, meaning: string])[] = [
  [
    'frames missed',
    'Fraction of frames that were not decodable within the budget after their capture; a frame is decodable when it and ' +
      'all frames it refers to are complete. Warm-up and drain are not counted. The on-time ratio is one minus this.',
  ],
  [
    '95 % interval',
    'The wider of Wilson’s score interval over the frames of all seeds and, with at least three seeds, Student’s interval over ' +
      'the ratios of the seeds, because frames of one seed share their outages.',
  ],
  [
    'limit of the capacity',
    'Frames that no sender could have had in time on this path, with the future capacity known; random loss and references ' +
      'between frames are left out. The causal source knows the past capacity exactly and nothing of the future.',
  ],
  ['budget', 'Time from a frame’s capture until it must be decodable, including transit and recovery.'],
  [
    'frame delay',
    'Time from a frame’s capture until it was decodable. Frames that never became decodable count as ∞, so a percentile above ' +
      'the fraction of decodable frames is ∞.',
  ],
  ['decodable', 'Fraction of frames that became decodable at any time.'],
  [
    'freeze',
    'W3C (webrtc-stats, freezeCount): the time between two displayed frames is at least max(3 · mean, mean + 150 ms), with the mean ' +
      'over the last 30. libwebrtc includes the new frame in the mean, rounds it down, needs five frames and excludes ' +
      'pauses. Tambur needs 30 preceding frames, and “more than” instead of “at least”. Frozen time is the sum of ' +
      'the full intervals.',
  ],
  ['stalled', 'Time for which a picture stood beyond one frame period, divided by the time watched.'],
  [
    'overhead',
    'All bytes sent in both directions, including headers, repair, retransmissions and feedback, divided by the source bytes, minus one.',
  ],
  [
    'least overhead',
    'Least overhead with which as many frames arrive whole and in time, by any scheme that codes frame by frame with an ideal code and ' +
      'perfect feedback, with headers of 40 bytes a packet; without feedback in time, by any code that repairs after each frame. Known for ' +
      'frames of equal length, independent losses and a constant delay. Elsewhere, ≥ and the bound of any scheme whatever: the packets of ' +
      'those frames, and as many more as the path loses. Coding several frames together can be below the former, never below the latter.',
  ],
  [
    'waste',
    'Bytes of retransmissions and repair that arrived without being needed, divided by all bytes of retransmissions and repair.',
  ],
  [
    'sound concealed',
    'Fraction of the sound that was not complete when it was due. A gap is a run of such units. Warm-up is not counted.',
  ],
  [
    'sync error',
    'Distance between the time of the picture that is shown and that of the sound that is heard with it, over the pictures shown.',
  ],
  ['protection', 'Bytes of retransmissions and repair packets of the sound, divided by the bytes of the sound.'],
  ['goodput', 'Bits of the frames that were decodable within the budget, divided by the duration of the stream.'],
];
