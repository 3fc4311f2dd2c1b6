package dev.tocsin.engine;

import dev.tocsin.schemas.IncidentAlert;
import dev.tocsin.schemas.Note;
import dev.tocsin.schemas.TimelineEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * The lists of an incident: the newest items, bounded in number by the rules and in bytes by the
 * engine. What an alert and a command may bring in at most, and three full lists, stay below 1 MiB:
 * an incident that no topic takes would end the fold of its partition for good.
 */
final class NewestItems {
  /** Of one list, as UTF-8. Changing it takes a new version of the engine. */
  static final int BYTES_MAX = 128 << 10;

  /** At most what an item has beside its texts. */
  private static final int ITEM_BYTES = 40;

  private NewestItems() {}

  /**
   * A new list with {@code more} at its end, and before it the newest that fit.
   *
   * @param max of all items; at least 1
   * @param bytesMax of all items; {@code more} stays in any case
   * @throws IllegalArgumentException if {@code max} is less, which no rules that are active say
   */
  static <T> List<T> with(List<T> before, T more, int max, int bytesMax, ToIntFunction<T> bytesOf) {
    if (max < 1) {
      throw new IllegalArgumentException("a list of at most " + max);
    }
    int left = bytesMax - bytesOf.applyAsInt(more);
    int first = before.size();
    while (first > 0 && before.size() - first + 1 < max) {
      left -= bytesOf.applyAsInt(before.get(first - 1));
      if (left < 0) {
        break;
      }
      first--;
    }
    List<T> after = new ArrayList<>(before.size() - first + 1);
    after.addAll(before.subList(first, before.size()));
    after.add(more);
    return after;
  }

  static int bytes(TimelineEntry line) {
    return ITEM_BYTES + bytes(line.getText()) + bytes(line.getActor());
  }

  static int bytes(IncidentAlert alert) {
    return ITEM_BYTES + bytes(alert.getAlertId()) + bytes(alert.getTitle());
  }

  static int bytes(Note note) {
    return ITEM_BYTES + bytes(note.getAuthor()) + bytes(note.getText());
  }

  /** As UTF-8; a lone surrogate, which is encoded as one byte, counts as two. */
  private static int bytes(String text) {
    int bytes = text.length();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        bytes += c >= 0x800 && !Character.isSurrogate(c) ? 2 : 1;
      }
    }
    return bytes;
  }
}
