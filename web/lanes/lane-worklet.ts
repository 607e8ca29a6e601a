// A module beside the page, so that bundles of both kinds find it there.
import '../player/sound-worklet.ts';
