package dev.tocsin.runtime;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/**
 * The operator's HTTP port: {@code /metrics} in Prometheus' text format, {@code /live} (the process
 * runs), {@code /ready} (200 while {@link Health} serves, else 503 with a line for each condition
 * that is not met).
 */
public final class OpsServer implements AutoCloseable {
  private static final String TEXT = "text/plain; charset=utf-8";

  private final HttpServer server;
  private final ExecutorService threads;

  /**
   * Listens.
   *
   * @param port 0 for any free one
   * @throws IOException if the address cannot be had
   */
  public OpsServer(String host, int port, PrometheusMeterRegistry meters, Health health)
      throws IOException {
    server = HttpServer.create(new InetSocketAddress(host, port), 64);
    threads = Executors.newFixedThreadPool(2, OpsServer::thread);
    server.setExecutor(threads);
    serve("/metrics", exchange -> metrics(exchange, meters));
    serve("/live", exchange -> answer(exchange, 200, TEXT, "live\n"));
    serve("/ready", exchange -> ready(exchange, health));
    server.start();
  }

  /** The port that is listened on. */
  public int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  /** Serves this path only; by itself the server takes it for the beginning of longer ones. */
  private void serve(String path, HttpHandler handler) {
    server.createContext(
        path,
        exchange -> {
          if (exchange.getRequestURI().getPath().equals(path)) {
            handler.handle(exchange);
          } else {
            answer(exchange, 404, TEXT, "not found\n");
          }
        });
  }

  private static void metrics(HttpExchange exchange, PrometheusMeterRegistry meters)
      throws IOException {
    answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", meters.scrape());
  }

  private static void ready(HttpExchange exchange, Health health) throws IOException {
    var problems = new TreeMap<>(health.problems());
    if (problems.isEmpty()) {
      answer(exchange, 200, TEXT, "ready\n");
      return;
    }
    String lines =
        problems.entrySet().stream()
            .map(p -> p.getKey() + ": " + p.getValue())
            .collect(Collectors.joining("\n"));
    answer(exchange, 503, TEXT, lines + "\n");
  }

  private static void answer(HttpExchange exchange, int code, String type, String body)
      throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(code, bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "ops-http");
    thread.setDaemon(true);
    return thread;
  }
}
