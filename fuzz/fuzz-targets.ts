import type { FuzzTarget } from './fuzz-target.ts';
import { controlClientTarget, controlServerTarget } from './targets/control-targets.ts';
import { binaryTarget, fragmentTarget, matroskaTarget, mp4Target } from './targets/file-targets.ts';
import { frameTargets } from './targets/frame-target.ts';
import { payloadTargets, pictureTargets } from './targets/picture-target.ts';
import { plainReceiverTarget, receiverTarget } from './targets/receiver-target.ts';
import { rtspTarget } from './targets/rtsp-target.ts';
import { senderTarget } from './targets/sender-target.ts';
import { streamTarget } from './targets/stream-target.ts';
import {
  addressTarget,
  cellTarget,
  laneCommandTarget,
  linkTarget,
  netemTarget,
  scenarioTarget,
  sdpTarget,
  traceTarget,
} from './targets/text-targets.ts';

/** All entry points for untrusted input. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  receiverTarget,
  plainReceiverTarget,
  senderTarget,
  streamTarget,
  controlClientTarget,
  controlServerTarget,
  rtspTarget,
  ...pictureTargets,
  ...frameTargets,
  ...payloadTargets,
  mp4Target,
  fragmentTarget,
  matroskaTarget,
  binaryTarget,
  laneCommandTarget,
  sdpTarget,
  linkTarget,
  netemTarget,
  traceTarget,
  scenarioTarget,
  cellTarget,
  addressTarget,
];
