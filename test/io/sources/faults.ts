import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optional } from '../../optional.ts';
import { MEDIA } from './media.ts';

/** Files of the sort that people have, each of which was treated wrongly once. No part of this repository. */
const FAULTS = join(MEDIA, '../faults/media');

export const withFaults = optional('../shared/faults', existsSync(FAULTS));
export const fault = (name: string): string => join(FAULTS, name);
/** Datagrams and scripts for networks. */
export const networkFault = (name: string): string => join(FAULTS, '../network', name);
export const faultBytes = (name: string): Uint8Array => new Uint8Array(readFileSync(fault(name)));
