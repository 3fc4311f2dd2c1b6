package dev.tocsin.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.Test;

/** Whichever broker it is that this machine gives. */
class SharedBrokerIT {
  @Test
  void broker_isOneAndAnswers() throws Exception {
    assertThat(SharedBroker.bootstrap()).isSameAs(SharedBroker.bootstrap());
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", SharedBroker.bootstrap()))) {
      assertThat(admin.describeCluster().nodes().get()).hasSize(1);
    }
  }
}
