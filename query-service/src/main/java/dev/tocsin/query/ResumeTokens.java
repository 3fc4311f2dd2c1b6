package dev.tocsin.query;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Writes resume tokens and reads them again. Opaque to callers; base64url of
 *
 * <pre>
 *   1 byte   form, 1
 *  16 bytes  {@link StreamFilter#workspaceDigest}
 *  16 bytes  {@link StreamFilter#digest}
 *   string   generation, with its length before it
 *   varint   partitions
 *   each     three varints: next offset; log offset + 1; sequence + 1
 *  16 bytes  the first of HMAC-SHA256 over all before
 * </pre>
 *
 * They are signed, as page tokens are not: a page token leads only to what its caller may list
 * anyway, but a position made up could have readers search the topic at any offset. Thread-safe.
 */
final class ResumeTokens {
  /** No token is longer; so much is decoded at most of what a caller claims to be one. */
  static final int CHARACTERS_MAX = 64 << 10;

  private static final byte FORM = 1;
  private static final int SIGNATURE_BYTES = 16;
  private static final int VARINT_BYTES_MAX = 10;
  private static final int PARTITIONS_MAX = 1_024;
  private static final int GENERATION_BYTES_MAX = 20;
  private static final Pattern TEXT = Pattern.compile("[A-Za-z0-9_-]+");
  private static final String ALGORITHM = "HmacSHA256";

  private final Mac keyed;

  /** With a key that is as secret as what it protects. */
  ResumeTokens(byte[] key) {
    try {
      keyed = Mac.getInstance(ALGORITHM);
      keyed.init(new SecretKeySpec(key, ALGORITHM));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
    }
  }

  /** The tokens of one stream, of which only the positions change. One thread at a time. */
  final class Writer {
    private final byte[] head;
    private final Mac mac = copy();
    private byte[] buffer = new byte[256];

    private Writer(String generation, ByteString workspace, ByteString filter) {
      byte[] name = generation.getBytes(StandardCharsets.UTF_8);
      head =
          ByteString.copyFrom(new byte[] {FORM})
              .concat(workspace)
              .concat(filter)
              .concat(ByteString.copyFrom(new byte[] {(byte) name.length}))
              .concat(ByteString.copyFrom(name))
              .toByteArray();
    }

    /** The token for these positions, one for each partition. */
    String token(EventPosition[] positions) {
      int room = head.length + (1 + 3 * positions.length) * VARINT_BYTES_MAX + SIGNATURE_BYTES;
      if (buffer.length < room) {
        buffer = new byte[room];
      }
      System.arraycopy(head, 0, buffer, 0, head.length);
      CodedOutputStream out =
          CodedOutputStream.newInstance(buffer, head.length, room - head.length);
      try {
        out.writeUInt32NoTag(positions.length);
        for (EventPosition position : positions) {
          out.writeUInt64NoTag(position.next());
          out.writeUInt64NoTag(position.logOffset() + 1);
          out.writeUInt64NoTag(position.sequence() + 1);
        }
        out.flush();
      } catch (IOException e) {
        throw new UncheckedIOException("writing to memory", e);
      }
      int end = head.length + out.getTotalBytesWritten();
      mac.update(buffer, 0, end);
      System.arraycopy(mac.doFinal(), 0, buffer, end, SIGNATURE_BYTES);
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(Arrays.copyOf(buffer, end + SIGNATURE_BYTES));
    }
  }

  /** For a stream of this generation and filter. */
  Writer writer(String generation, StreamFilter filter) {
    return new Writer(generation, filter.workspaceDigest(), filter.digest());
  }

  /** The token that {@code text} writes; empty if no such token was ever given under this key. */
  Optional<ResumeToken> parse(String text) {
    if (text.length() > CHARACTERS_MAX || !TEXT.matcher(text).matches()) {
      return Optional.empty();
    }
    byte[] bytes;
    try {
      bytes = Base64.getUrlDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    // Some bits of the last character say nothing; only one of its forms is ours.
    boolean ours = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes).equals(text);
    return ours && signed(bytes) ? read(bytes) : Optional.empty();
  }

  private boolean signed(byte[] bytes) {
    int end = bytes.length - SIGNATURE_BYTES;
    if (end <= 0 || bytes[0] != FORM) {
      return false;
    }
    Mac mac = copy();
    mac.update(bytes, 0, end);
    byte[] expected = Arrays.copyOf(mac.doFinal(), SIGNATURE_BYTES);
    return MessageDigest.isEqual(expected, Arrays.copyOfRange(bytes, end, bytes.length));
  }

  /** Of bytes that were signed here, so what is wrong with them was written wrong. */
  private static Optional<ResumeToken> read(byte[] bytes) {
    CodedInputStream in =
        CodedInputStream.newInstance(bytes, 1, bytes.length - SIGNATURE_BYTES - 1);
    try {
      ByteString workspace = ByteString.copyFrom(in.readRawBytes(Sha256.BYTES));
      ByteString filter = ByteString.copyFrom(in.readRawBytes(Sha256.BYTES));
      int length = in.readRawByte();
      if (length < 0 || length > GENERATION_BYTES_MAX) {
        return Optional.empty();
      }
      String generation = new String(in.readRawBytes(length), StandardCharsets.UTF_8);
      int partitions = in.readUInt32();
      if (partitions < 0 || partitions > PARTITIONS_MAX) {
        return Optional.empty();
      }
      List<EventPosition> positions = new ArrayList<>();
      for (int i = 0; i < partitions; i++) {
        positions.add(new EventPosition(in.readUInt64(), in.readUInt64() - 1, in.readUInt64() - 1));
      }
      return in.isAtEnd()
          ? Optional.of(new ResumeToken(generation, workspace, filter, positions))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Ready for use; a Mac is no thing to share, and making one from the key costs more. */
  private Mac copy() {
    try {
      return (Mac) keyed.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("this platform's " + ALGORITHM + " cannot be copied", e);
    }
  }
}
