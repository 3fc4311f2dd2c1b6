package dev.tocsin.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How large an RE2 expression becomes once its counted repetitions are written out, told from its
 * text alone. RE2/J bounds each repetition but not their product, and writes them all out before it
 * can say how many steps that makes: a few nested ones are more than any memory holds. So what is
 * too large must be known before it is compiled.
 *
 * <p>It is never less than what the compiler makes, and seldom twice as much. A character, a class
 * or an escape is one step; what is repeated counts as often as it may be repeated at most, each
 * time with a step for the choice to go on. For what is no expression the result means nothing; the
 * compiler says so. Not thread-safe.
 */
final class ExpressionSize {
  /** As much as is told; anything above is this. */
  static final long MAX = Integer.MAX_VALUE;

  private static final Pattern REPETITION = Pattern.compile("\\{(\\d{1,9})(,(\\d{0,9}))?}");
  private static final Pattern ESCAPE =
      Pattern.compile("\\\\([pPx]\\{[^}]*}|x..|[pP].|.)", Pattern.DOTALL);
  private static final Pattern CLASS =
      Pattern.compile("\\[\\^?]?(\\[:[^\\]]*:]|\\\\.|[^\\]\\\\])*+]", Pattern.DOTALL);

  /** Changes how the rest is read, and is itself nothing: what follows repeats what came before. */
  private static final Pattern FLAGS = Pattern.compile("\\(\\?[a-zA-Z-]*\\)");

  private final String text;

  /** What each open group holds so far, the outermost last. */
  private final Deque<Long> outer = new ArrayDeque<>();

  private long sum = 3; // of the open group, without last; at first what any expression has
  private long last; // what a repetition behind it would repeat
  private int at;

  private ExpressionSize(String text) {
    this.text = text;
  }

  /** The steps of the expression, no more than {@link #MAX}. */
  static long of(String text) {
    return new ExpressionSize(text).scan();
  }

  private long scan() {
    while (at < text.length()) {
      switch (text.charAt(at)) {
        case '\\' -> escape();
        case '[' -> atom(CLASS);
        case '(' -> open();
        case ')' -> close();
        case '{' -> repeat();
        case '*', '+', '?' -> {
          last = bounded(last + 2);
          at++;
        }
        case '|' -> {
          step(1);
          last = 2; // a choice, and it may be between nothings
        }
        default -> step(1);
      }
    }
    while (!outer.isEmpty()) {
      close();
    }
    return bounded(sum + last);
  }

  private void escape() {
    if (text.startsWith("\\Q", at)) {
      int end = text.indexOf("\\E", at);
      int stop = end < 0 ? text.length() : end;
      at += 2;
      while (at < stop) {
        step(1);
      }
      at = end < 0 ? stop : end + 2;
    } else {
      atom(ESCAPE);
    }
  }

  /** One step, however many characters say it; the character alone where it is none of that. */
  private void atom(Pattern pattern) {
    Matcher matcher = pattern.matcher(text).region(at, text.length());
    step(matcher.lookingAt() ? matcher.end() - at : 1);
  }

  private void step(int characters) {
    sum = bounded(sum + last);
    last = 1;
    at += characters;
  }

  private void open() {
    Matcher flags = FLAGS.matcher(text).region(at, text.length());
    if (flags.lookingAt()) {
      at = flags.end();
      return;
    }
    outer.push(bounded(sum + last));
    sum = 3; // where it begins and ends is kept, and it may hold nothing
    last = 0;
    at++;
  }

  private void close() {
    last = bounded(sum + last);
    sum = outer.isEmpty() ? 0 : outer.pop();
    at++;
  }

  private void repeat() {
    Matcher count = REPETITION.matcher(text).region(at, text.length());
    if (!count.lookingAt()) {
      step(1);
      return;
    }
    long least = Long.parseLong(count.group(1));
    boolean open = count.group(3) != null && count.group(3).isEmpty();
    long most =
        count.group(3) == null || open ? least + (open ? 1 : 0) : Long.parseLong(count.group(3));
    last = bounded((last + 1) * Math.max(1, Math.max(least, most)));
    at = count.end();
  }

  private static long bounded(long size) {
    return Math.min(size, MAX);
  }
}
