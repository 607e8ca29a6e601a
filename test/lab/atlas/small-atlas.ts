import { readAtlasSetting } from '../../../lab/atlas/atlas-setting.ts';

/** Words of an atlas whose coarse grid has 16 points. */
export const SMALL_WORDS: readonly string[] = [
  'loss=1%,10%',
  'burst=1',
  'rtt=20,200',
  'jitter=0',
  'budget=75,300',
  'rate=unlimited,1250kbit',
  'seconds=5',
];
export const SMALL_STRATEGIES: readonly string[] = ['nack', 'fec', 'tcp-cubic'];
export const SMALL_SETTING = readAtlasSetting(SMALL_WORDS, SMALL_STRATEGIES);
/** Cells beyond the coarse grid of `SMALL_SETTING`. */
export const SMALL_CELLS = 60;
