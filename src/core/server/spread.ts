/**
 * What came together is not to come back together (R111): the lifetimes that a registrar grants differ by a share of
 * what was asked for, so that after some rounds the renewals of a fleet lie evenly in time.
 */

/** See RegistrarLimits. */
interface LifetimeLimits {
  readonly minExpires: number;
  readonly maxExpires: number;
  readonly expirySpread?: number;
}

/**
 * Seconds granted: never more than asked for, never less than the least that may be asked for.
 * Call-ID and CSeq decide, so that a retransmission at another node gets the same answer.
 */
export function grantedSeconds(
  asked: number,
  limits: LifetimeLimits,
  callId: string,
  cseq: number,
): number {
  const most = Math.min(asked, limits.maxExpires);
  const { expirySpread = 0 } = limits;
  if (expirySpread === 0) return most;
  const least = Math.max(limits.minExpires, Math.ceil(most * (1 - expirySpread)));
  return least >= most ? most : most - (drawn(callId, cseq) % (most - least + 1));
}

/** FNV-1a, and its bits well mixed: numbers that follow one another are to be far apart. */
function drawn(callId: string, cseq: number): number {
  let hash = 0x811c_9dc5 ^ cseq;
  for (let index = 0; index < callId.length; index += 1) {
    hash = Math.imul(hash ^ callId.charCodeAt(index), 0x0100_0193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
