/** What each figure of a report means, in the order of the table. */
export const DEFINITIONS: readonly (readonly [name: string, meaning: string])[] = [
  [
    'frames missed',
    'Frames that were not decodable within the budget of their capture, over all frames; a frame is decodable when it and ' +
      'every frame it refers to are complete. Warm-up and drain are not counted. One less it is the on-time ratio.',
  ],
  [
    '95 % interval',
    'The wider of Wilson’s score interval over the frames of all seeds and, from three seeds, Student’s interval over the ' +
      'seeds’ shares: frames of one seed share their outages.',
  ],
  ['budget', 'The time from a frame’s capture until it must be decodable, the way and all recovery included.'],
  [
    'frame delay',
    'From a frame’s capture to when it was decodable. Frames that never were count as ∞, so that a percentile above the ' +
      'share of decodable frames is ∞.',
  ],
  ['decodable', 'Frames that were decodable at any time, over all frames.'],
  [
    'freeze',
    'W3C (webrtc-stats, freezeCount): the time between two shown frames is at least max(3 · mean, mean + 150 ms), the mean ' +
      'over the last 30 shown. libwebrtc counts the new frame into the mean, rounds it down, asks for five frames and leaves ' +
      'pauses out. Tambur takes the 30 frames before it, and “more than” in place of “at least”. Frozen time is the sum of ' +
      'whole intervals.',
  ],
  [
    'stalled',
    'Time in which a picture stood longer than a frame lasts, less that frame’s own time, over the time watched.',
  ],
  [
    'overhead',
    'All bytes sent both ways, with headers, repair, retransmissions and feedback, over the bytes of the source, less one.',
  ],
  ['waste', 'Bytes of retransmissions and repair that came and were not needed, over all bytes sent forward.'],
  ['goodput', 'Bits of the frames that were decodable within the budget, over the time of the stream.'],
];
