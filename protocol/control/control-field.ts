import { z } from 'zod';

/** Fields that several control messages have, each with its bounds. */

export const wire16 = z.int().min(0).max(0xffff);
export const wire32 = z.int().min(0).max(0xffff_ffff);
/** Dynamic payload types (RFC 3551 §3), clear of those that RFC 5761 §4 keeps for RTCP. */
export const payloadType = z.int().min(96).max(127);

/** Text that goes to terminals and logs: no control characters, so that a peer cannot steer them. */
export const NOT_PRESENTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

export const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((value) => !NOT_PRESENTABLE.test(value));

/** A codec's name for MIME types and WebCodecs (RFC 6381). */
export const decoderString = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$/);

/** Each of 32 SPS and some PPS; a stream has one of each as a rule. */
export const PARAMETER_SETS_MAX = 64;
/** All of a stream's together: as base64 they take half of a message's body. */
export const PARAMETER_SET_BYTES_MAX = 24_576;

/** Base64 with padding. */
const parameterSet = z
  .string()
  .min(4)
  .max((PARAMETER_SET_BYTES_MAX / 3) * 4)
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);

export const parameterSets = z.array(parameterSet).max(PARAMETER_SETS_MAX);
