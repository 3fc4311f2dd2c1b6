package dev.tocsin.flink;

import java.time.Duration;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Lets each alert through once; one that comes again within the hour is a redelivery. */
final class Deduplication
    extends KeyedProcessFunction<Tuple3<String, String, Byte>, Sighting, Sighting> {
  private static final Duration REMEMBERED = Duration.ofHours(1);

  private transient ValueState<Boolean> seen;

  @Override
  public void open(OpenContext context) {
    ValueStateDescriptor<Boolean> descriptor = new ValueStateDescriptor<>("seen", Types.BOOLEAN);
    descriptor.enableTimeToLive(StateTtlConfig.newBuilder(REMEMBERED).build());
    seen = getRuntimeContext().getState(descriptor);
  }

  @Override
  public void processElement(Sighting sighting, Context context, Collector<Sighting> out)
      throws Exception {
    if (seen.value() == null) {
      seen.update(true);
      out.collect(sighting);
    }
  }
}
