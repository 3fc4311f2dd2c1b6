package dev.tocsin.query;

import java.math.BigInteger;

/**
 * The sum of digests, each an unsigned number of 128 bits in hexadecimal digits, modulo 2^128. Not
 * thread-safe.
 */
final class DigestTotal {
  private static final BigInteger MODULUS = BigInteger.ONE.shiftLeft(128);

  private BigInteger sum = BigInteger.ZERO;

  void add(String digest) {
    sum = sum.add(new BigInteger(digest, 16)).mod(MODULUS);
  }

  /** 32 lower-case hexadecimal digits. */
  String text() {
    return "%032x".formatted(sum);
  }
}
