package dev.tocsin.access;

import dev.tocsin.runtime.Settings;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** Who can reach a server at all, by the settings {@code NAME.host} and {@code NAME.open}. */
final class Reach {
  private Reach() {}

  /**
   * That a server which asks nobody who they are listens on loopback only, unless {@code NAME.open}
   * says that others may reach it. The fault is left to {@link Settings#check}.
   *
   * @param asked whether it asks
   * @param remedy what its operator can do
   */
  static void check(Settings settings, String name, boolean asked, String remedy) {
    boolean open = settings.flag(name + ".open", false);
    String host = host(settings, name);
    if (!asked && !open && !loopback(host)) {
      settings.fault(
          name + ".host",
          "%s can be reached from elsewhere and nobody is asked who they are: %s if that is meant"
              .formatted(host, remedy));
    }
  }

  static String host(Settings settings, String name) {
    return settings.text(name + ".host", "127.0.0.1");
  }

  static boolean loopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false; // it will not bind either, and says so then
    }
  }
}
