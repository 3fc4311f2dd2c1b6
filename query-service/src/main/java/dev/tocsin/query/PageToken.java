package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/**
 * Where a list goes on: below the id of the last incident told. Opaque to callers; base64url of
 *
 * <pre>
 *   1 byte   form, 1
 *  16 bytes  the id, most significant byte first
 *  16 bytes  {@link ListFilter#digest} of the list that it belongs to
 * </pre>
 *
 * It is no secret and grants nothing: what it leads to is read within the caller's own workspace.
 */
record PageToken(Key128 below, ByteString digest) {
  private static final byte FORM = 1;
  private static final int ID_BYTES = 16;
  private static final int BYTES = 1 + ID_BYTES + ListFilter.DIGEST_BYTES;
  private static final int CHARACTERS = BYTES * 4 / 3;

  String text() {
    byte[] bytes =
        ByteBuffer.allocate(BYTES)
            .put(FORM)
            .put(below.bytes())
            .put(digest.asReadOnlyByteBuffer())
            .array();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** The token that {@code text} writes; empty if no such token was ever given. */
  static Optional<PageToken> parse(String text) {
    if (text.length() != CHARACTERS) {
      return Optional.empty();
    }
    byte[] bytes;
    try {
      bytes = Base64.getUrlDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    if (bytes.length != BYTES || bytes[0] != FORM) {
      return Optional.empty();
    }
    return Optional.of(
        new PageToken(
            new Key128(Arrays.copyOfRange(bytes, 1, 1 + ID_BYTES)),
            ByteString.copyFrom(bytes, 1 + ID_BYTES, ListFilter.DIGEST_BYTES)));
  }

  boolean belongsTo(ListFilter filter) {
    return digest.equals(filter.digest());
  }
}
