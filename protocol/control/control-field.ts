import { z } from 'zod';

/** Fields shared by several control messages, with their bounds. */

export const wire16 = z.int().min(0).max(0xffff);
export const wire32 = z.int().min(0).max(0xffff_ffff);
/** Dynamic payload types (RFC 3551 §3) that do not collide with RTCP (RFC 5761 §4). */
export const payloadType = z.int().min(96).max(127);

/**
 * Characters not allowed in text for terminals and logs: control characters, with which a peer could steer a terminal.
 */
export const NOT_PRESENTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

export const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((value) => !NOT_PRESENTABLE.test(value));

/** Codec string for MIME types and WebCodecs (RFC 6381). */
export const decoderString = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$/);

/** Limit for the parameter sets of a stream: up to 32 SPS and some PPS. Usually a stream has one of each. */
export const PARAMETER_SETS_MAX = 64;
/** Limit for all parameter sets of a stream together. As base64 they fill half of a message's body. */
export const PARAMETER_SET_BYTES_MAX = 24_576;

/** Base64 with padding. */
const parameterSet = z
  .string()
  .min(4)
  .max((PARAMETER_SET_BYTES_MAX / 3) * 4)
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);

export const parameterSets = z.array(parameterSet).max(PARAMETER_SETS_MAX);
