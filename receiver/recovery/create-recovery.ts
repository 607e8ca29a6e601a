import { RepairIntake } from '../intake/repair-intake.ts';
import type { ReceiverOptions } from '../receiver-options.ts';
import { DeadlineRecovery } from './deadline-recovery.ts';
import type { LossRecovery } from './loss-recovery.ts';
import { NackRecovery } from './nack-recovery.ts';

/** Creates the loss recovery; `undefined` when nothing is requested. */
export function createRecovery(options: ReceiverOptions): LossRecovery | undefined {
  if (options.createRecovery) return options.createRecovery(options);
  if (options.recovery === 'nack') return new NackRecovery(options);
  return options.recovery === 'hybrid' ? new DeadlineRecovery(options) : undefined;
}

/** Creates the repair intake; `undefined` without repair packets. */
export function createRepairIntake(options: ReceiverOptions): RepairIntake | undefined {
  const { recovery, ssrc, repairSsrc, datagramBytesMax } = options;
  if (recovery !== 'fec' && recovery !== 'hybrid') return undefined;
  if (ssrc === undefined || repairSsrc === undefined) return undefined;
  return new RepairIntake({ ssrc, packetBytesMax: datagramBytesMax });
}
