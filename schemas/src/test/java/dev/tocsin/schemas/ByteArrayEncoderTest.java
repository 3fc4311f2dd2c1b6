package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.apache.avro.io.Encoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.Utf8;
import org.junit.jupiter.api.Test;

/** Against Avro's own encoder. */
class ByteArrayEncoderTest {
  private final ByteArrayEncoder encoder = new ByteArrayEncoder();

  private interface Writing {
    void to(Encoder encoder) throws IOException;
  }

  @Test
  void texts_areAsAvroWritesThem() throws IOException {
    String limit = "x".repeat(Ascii.CHARS_MAX);
    for (String text :
        List.of(
            "",
            "a",
            "\u007f",
            "\u0080",
            "é",
            "ascii and then ü",
            "\u0141\u0142 whose low bytes are ASCII",
            "\uD83D\uDD14",
            "lone \uD83D surrogate",
            limit,
            limit + "x",
            "é".repeat(Ascii.CHARS_MAX),
            "long ".repeat(1_000),
            "läng ".repeat(1_000))) {
      assertSame(out -> out.writeString(text));
      assertSame(out -> out.writeString(new StringBuilder(text)));
      assertSame(out -> out.writeString(new Utf8(text)));
    }
  }

  @Test
  void numbersAndBytes_areAsAvroWritesThem() throws IOException {
    Random random = new Random(1);
    for (int i = 0; i < 1_000; i++) {
      long number = random.nextLong() >> random.nextInt(64);
      byte[] bytes = new byte[random.nextInt(300)];
      random.nextBytes(bytes);
      assertSame(
          out -> {
            out.writeLong(number);
            out.writeInt((int) number);
            out.writeBoolean(number > 0);
            out.writeFloat(number);
            out.writeDouble(number);
            out.writeEnum((int) number & 7);
            out.writeIndex(1);
            out.writeNull();
            out.writeBytes(bytes);
            out.writeBytes(ByteBuffer.wrap(bytes));
            out.writeFixed(bytes, bytes.length / 2, bytes.length - bytes.length / 2);
            out.writeFixed(ByteBuffer.wrap(bytes));
            out.writeArrayStart();
            out.setItemCount(1);
            out.startItem();
            out.writeInt(1);
            out.writeArrayEnd();
            out.writeMapStart();
            out.writeMapEnd();
          });
    }
  }

  @Test
  void whatWasWrittenBefore_isForgotten() throws IOException {
    encoder.reset();
    encoder.writeFixed(new byte[3 << 20], 0, 3 << 20);
    assertThat(encoder.toByteArray()).hasSize(3 << 20);
    assertSame(out -> out.writeString("next"));
  }

  private void assertSame(Writing writing) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Encoder avro = EncoderFactory.get().binaryEncoder(bytes, null);
    writing.to(avro);
    avro.flush();
    encoder.reset();
    writing.to(encoder);
    assertThat(encoder.toByteArray()).isEqualTo(bytes.toByteArray());
  }
}
