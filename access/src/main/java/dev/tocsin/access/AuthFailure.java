package dev.tocsin.access;

/** Why a call was not let in, or not to its end; the reason in the metric, and never told to it. */
enum AuthFailure {
  /** It shows no bearer token. */
  MISSING,
  /** What it shows is no JWT. */
  MALFORMED,
  /** No key of ours signed it, by the algorithm that is configured. */
  SIGNATURE,
  /** Its key may be published and was not fetched yet. */
  KEY_UNKNOWN,
  /** It is of another issuer, audience or type, not good yet, or lacks what it must hold. */
  CLAIMS,
  /** It had ended before the call. */
  EXPIRED,
  /** It is good, and does not hold the role that the method asks for. */
  ROLE,
  /** It ended while the call lasted. */
  ENDED
}
