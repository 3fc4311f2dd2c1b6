package dev.tocsin.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class BrokerProcessIT {
  private static final String TOPIC = "kept";

  @TempDir Path folder;

  @Test
  void data_survivesARestartWithOtherPorts() throws Exception {
    byte[] value = new byte[5 << 20];
    value[value.length - 1] = 42;
    String firstBootstrap;
    try (var broker = start()) {
      firstBootstrap = broker.bootstrap();
      createTopic(broker);
      send(broker, value);
    }
    int otherPort = FreePorts.choose(Integer.parseInt(firstBootstrap.replace("127.0.0.1:", "")));
    try (var broker = BrokerProcess.start(folder, otherPort, Optional.empty())) {
      assertThat(broker.bootstrap())
          .isEqualTo("127.0.0.1:" + otherPort)
          .isNotEqualTo(firstBootstrap);
      assertThat(readOne(broker)).isEqualTo(value);
    }
  }

  @Test
  void data_survivesAKill() throws Exception {
    try (var broker = start()) {
      createTopic(broker);
      send(broker, new byte[] {7});
      broker.kill();
      assertThat(broker.isAlive()).isFalse();
    }
    try (var broker = start()) {
      assertThat(readOne(broker)).containsExactly(7);
    }
  }

  @Test
  void listeners_areOnLoopbackOnly() throws Exception {
    try (var broker = start()) {
      assertThat(property("listeners"))
          .matches("PLAINTEXT://" + broker.bootstrap() + ",CONTROLLER://127\\.0\\.0\\.1:[0-9]+");
    }
  }

  @Test
  void close_stopsCleanlyAndLeavesTheExitToItsWatcher() throws Exception {
    CompletableFuture<String> exit = new CompletableFuture<>();
    try (var broker = start()) {
      broker.onExit(exit::complete);
    }
    assertThat(exit.get(10, TimeUnit.SECONDS)).contains("status 0");
    assertThat(folder.resolve("log/.kafka_cleanshutdown")).exists();
  }

  @Test
  void signalsOfAProcessGroup_doNotEndIt() throws Exception {
    try (var broker = start()) {
      for (String signal : List.of("INT", "HUP", "TERM")) {
        new ProcessBuilder("sh", "-c", "kill -" + signal + " " + broker.pid()).start().waitFor();
      }
      send(createTopic(broker), new byte[] {1});
      assertThat(broker.isAlive()).isTrue();
    }
  }

  @Test
  void close_endsABrokerByForceThatDoesNotStop() throws Exception {
    try (var broker = start()) {
      new ProcessBuilder("sh", "-c", "kill -STOP " + broker.pid()).start().waitFor();
      broker.close(Duration.ofSeconds(1));
      assertThat(broker.isAlive()).isFalse();
    }
  }

  @Test
  void child_endsWhenItsParentIsKilled() throws Exception {
    Process parent = startParent();
    long pid = Long.parseLong(readLine(parent));
    ProcessHandle child = ProcessHandle.of(pid).orElseThrow();
    parent.destroyForcibly().waitFor();
    child.onExit().get(ParentWatch.STOP_MAX.toSeconds() + 5, TimeUnit.SECONDS);
    assertThat(child.isAlive()).isFalse();
  }

  @Test
  void start_waitsForAnOlderBrokerThatIsStillStopping() throws Exception {
    Process parent = startParent();
    long held = Long.parseLong(readLine(parent));
    CompletableFuture<?> ended = ProcessHandle.of(held).orElseThrow().onExit();
    parent.destroyForcibly().waitFor();
    try (var broker = start()) {
      assertThat(broker.pid()).isNotEqualTo(held);
      ended.get(10, TimeUnit.SECONDS); // the folder is free a moment before its process is gone
    }
  }

  @Test
  void start_failsWhenTheFolderStaysHeld() throws Exception {
    try (var holder = start()) {
      long begun = System.nanoTime();
      assertThatThrownBy(this::start)
          .isInstanceOf(BrokerProcess.StartException.class)
          .hasMessageContaining(folder.toString())
          .hasMessageContaining("in use by another process")
          .hasMessageNotContaining("\n");
      assertThat(Duration.ofNanos(System.nanoTime() - begun))
          .isBetween(BrokerMain.LOCK_WAIT_MAX, BrokerProcess.START_MAX);
      assertThat(holder.isAlive()).isTrue();
    }
  }

  @Test
  void start_namesAPortThatIsInUse() throws Exception {
    try (ServerSocket taken =
        new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
      int port = taken.getLocalPort();
      assertThatThrownBy(() -> BrokerProcess.start(folder, port, Optional.empty()))
          .isInstanceOf(BrokerProcess.StartException.class)
          .hasMessageContaining("port " + port + " is in use");
    }
  }

  @Test
  void start_refusesAFolderThatIsAFile() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "not a folder");
    assertThatThrownBy(() -> BrokerProcess.start(file, 0, Optional.empty()))
        .isInstanceOf(BrokerProcess.StartException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void start_saysWhatIsWrongWithGarbageInTheFolder() throws Exception {
    Files.createDirectories(folder.resolve("log"));
    Files.write(folder.resolve("log/meta.properties"), new byte[] {0, 1, 2, 3});
    assertThatThrownBy(this::start)
        .isInstanceOf(BrokerProcess.StartException.class)
        .hasMessageContaining("node ID not found in " + folder.resolve("log"))
        .hasMessageContaining("broker.log")
        .hasMessageNotContaining("\n");
  }

  @Test
  void start_saysTheLastLinesOfABrokerThatHalts() throws Exception {
    Files.createDirectories(folder.resolve("log/no-partition-of-any-topic-x"));
    assertThatThrownBy(this::start)
        .isInstanceOf(BrokerProcess.StartException.class)
        .hasMessageContaining("no-partition-of-any-topic-x")
        .hasMessageContaining("broker.log");
    assertThat(folder.resolve("broker.log")).isNotEmptyFile();
  }

  /** A JVM that starts a broker in {@link #folder}, says its process id, and stays. */
  private Process startParent() throws IOException {
    return new ProcessBuilder(
            ChildJvm.command(Parent.class.getName(), List.of(), List.of(folder.toString())))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** The main of that JVM. */
  static final class Parent {
    private Parent() {}

    public static void main(String[] args) throws IOException {
      var broker = BrokerProcess.start(Path.of(args[0]), 0, Optional.empty());
      System.out.println(broker.pid());
      var unused = System.in.read();
    }
  }

  private static String readLine(Process process) throws IOException {
    return new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
        .readLine();
  }

  private BrokerProcess start() {
    return BrokerProcess.start(folder, 0, Optional.empty());
  }

  private String property(String name) throws IOException {
    var properties = new java.util.Properties();
    try (var in = Files.newBufferedReader(folder.resolve("server.properties"))) {
      properties.load(in);
    }
    return properties.getProperty(name);
  }

  private static BrokerProcess createTopic(BrokerProcess broker) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin.createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1))).all().get();
    }
    return broker;
  }

  private static void send(BrokerProcess broker, byte[] value) throws Exception {
    Map<String, Object> config =
        Map.of("bootstrap.servers", broker.bootstrap(), "max.request.size", 6 << 20);
    try (var producer =
        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>(TOPIC, value)).get();
    }
  }

  private static byte[] readOne(BrokerProcess broker) {
    Map<String, Object> config =
        Map.of("bootstrap.servers", broker.bootstrap(), "auto.offset.reset", "earliest");
    try (var consumer =
        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition(TOPIC, 0)));
      return consumer.poll(Duration.ofSeconds(30)).iterator().next().value();
    }
  }
}
