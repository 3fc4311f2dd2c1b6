package dev.tocsin.flink;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Opens an incident for a group's first alert and counts what follows, in all and by condition. A
 * condition that is new there is told; its repeats are only counted. Nothing ever ends here: the
 * load's alerts only fire.
 */
final class IncidentCount
    extends KeyedProcessFunction<Tuple2<Long, Long>, Sighting, IncidentChange> {
  static final TypeInformation<Tuple2<Long, Long>> KEY_128 = Types.TUPLE(Types.LONG, Types.LONG);

  private transient ValueState<OpenIncident> open;
  private transient MapState<Tuple2<Long, Long>, Long> conditions;

  @Override
  public void open(OpenContext context) {
    open =
        getRuntimeContext()
            .getState(new ValueStateDescriptor<>("incident", Types.POJO(OpenIncident.class)));
    conditions =
        getRuntimeContext()
            .getMapState(new MapStateDescriptor<>("conditions", KEY_128, Types.LONG));
  }

  @Override
  public void processElement(Sighting sighting, Context context, Collector<IncidentChange> out)
      throws Exception {
    OpenIncident incident = open.value();
    boolean isNew = incident == null;
    if (isNew) {
      incident = opened(sighting);
    }
    incident.severity = (byte) Math.min(incident.severity, sighting.severity);
    incident.firstSeenMs = Math.min(incident.firstSeenMs, sighting.seenMs);
    incident.lastSeenMs = Math.max(incident.lastSeenMs, sighting.seenMs);
    incident.occurrences++;
    open.update(incident);
    Tuple2<Long, Long> condition = Tuple2.of(sighting.fingerprintHigh, sighting.fingerprintLow);
    Long count = conditions.get(condition);
    conditions.put(condition, count == null ? 1 : count + 1);
    if (count == null) {
      out.collect(change(incident, isNew, sighting));
    }
  }

  /** Its id is made of what it is opened by, so that a second run comes to the same. */
  private static OpenIncident opened(Sighting by) {
    OpenIncident incident = new OpenIncident();
    incident.id = Long.toHexString(by.groupHigh) + '-' + Long.toHexString(by.seenMs);
    incident.severity = by.severity;
    incident.firstSeenMs = by.seenMs;
    incident.lastSeenMs = by.seenMs;
    return incident;
  }

  private static IncidentChange change(OpenIncident incident, boolean opened, Sighting by) {
    IncidentChange change = new IncidentChange();
    change.opened = opened;
    change.incident = incident.id;
    change.severity = incident.severity;
    change.firstSeenMs = incident.firstSeenMs;
    change.lastSeenMs = incident.lastSeenMs;
    change.occurrences = incident.occurrences;
    change.fingerprintHigh = by.fingerprintHigh;
    change.fingerprintLow = by.fingerprintLow;
    return change;
  }
}
