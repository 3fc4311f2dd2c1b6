package dev.tocsin.benchmarks;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;

/**
 * {@code StockCount BOOTSTRAP APPLICATION TOPIC FOLDER THREADS COMMIT_MS}: counts records by key
 * with Kafka Streams as it comes: its DSL, RocksDB, its cache, exactly once. Runs until it is
 * killed.
 */
final class StockCount {
  private StockCount() {}

  public static void main(String[] args) throws InterruptedException {
    Map<String, Object> settings = new HashMap<>();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[3]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[4]);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, args[5]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(args[2], Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
        .mapValues(alert -> 1L)
        .groupByKey(Grouped.with(Serdes.ByteArray(), Serdes.Long()))
        .count(Materialized.with(Serdes.ByteArray(), Serdes.Long()));
    KafkaStreams streams = new KafkaStreams(builder.build(), new StreamsConfig(settings));
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close, "shutdown"));
    streams.start();
    new CountDownLatch(1).await();
  }
}
