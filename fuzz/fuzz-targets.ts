import type { FuzzTarget } from './fuzz-target.ts';
import { captureTarget } from './targets/capture-target.ts';
import { controlClientTarget, controlServerTarget } from './targets/control-targets.ts';
import { configurationTarget, probeTarget, sdpTarget } from './targets/description-targets.ts';
import { pageEntranceTarget, receiveUrlTarget } from './targets/entrance-targets.ts';
import { binaryTarget, fragmentTarget, matroskaTarget, mp4Target } from './targets/file-targets.ts';
import { frameTargets } from './targets/frame-target.ts';
import { parityTarget } from './targets/parity-target.ts';
import { payloadTargets, pictureTargets } from './targets/picture-target.ts';
import { plainStreamsTarget } from './targets/plain-target.ts';
import { plainReceiverTarget, receiverTarget } from './targets/receiver-target.ts';
import { ristReceiverTarget, ristSenderTarget } from './targets/rist-targets.ts';
import { rtspTarget } from './targets/rtsp-target.ts';
import { addressProofTarget, srtpTarget } from './targets/secure-targets.ts';
import { rateTarget, senderTarget } from './targets/sender-target.ts';
import { streamTarget } from './targets/stream-target.ts';
import {
  addressTarget,
  cellTarget,
  laneCommandTarget,
  linkTarget,
  netemTarget,
  scenarioTarget,
  traceTarget,
} from './targets/text-targets.ts';
import { whepTarget } from './targets/whep-target.ts';

/** All entry points for untrusted input. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  receiverTarget,
  plainReceiverTarget,
  plainStreamsTarget,
  parityTarget,
  ristReceiverTarget,
  senderTarget,
  rateTarget,
  ristSenderTarget,
  streamTarget,
  controlClientTarget,
  controlServerTarget,
  addressProofTarget,
  srtpTarget,
  rtspTarget,
  whepTarget,
  ...pictureTargets,
  ...frameTargets,
  ...payloadTargets,
  mp4Target,
  fragmentTarget,
  matroskaTarget,
  binaryTarget,
  captureTarget,
  laneCommandTarget,
  sdpTarget,
  configurationTarget,
  probeTarget,
  linkTarget,
  netemTarget,
  traceTarget,
  scenarioTarget,
  cellTarget,
  addressTarget,
  receiveUrlTarget,
  pageEntranceTarget,
];
