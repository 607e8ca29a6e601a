/** Words of an atlas, each with the values that it takes and those without it. */
export const ATLAS_WORDS = {
  loss: { values: 'lost datagrams both ways, such as 0.1%,1%,10%', default: '0.1%,1.4%,20%' },
  burst: { values: 'mean run of losses, datagrams', default: '1,8' },
  rtt: { values: 'round-trip time, milliseconds', default: '10,50,250' },
  jitter: { values: 'variation of the delay each way, milliseconds', default: '0,30' },
  budget: { values: 'time from capture to display, milliseconds', default: '75,200,600' },
  rate: { values: 'capacity forward: unlimited, 2mbit, 1250kbit', default: 'unlimited,1250kbit' },
  kbps: { values: 'bit rate of the stream, kilobits per second', default: '1000' },
  fps: { values: 'frames per second', default: '30' },
  keys: { values: 'frames from one key frame to the next', default: '30' },
  seconds: { values: 'length of a run; the first two are not counted', default: '8' },
} as const;
