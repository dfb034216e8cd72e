import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Kafka Streams beside logctl: windows of a minute or sessions of five minutes, until "expect" records are aggregated.
 * All settings are system properties; those of Streams itself begin with "ks.". See ../streams.sh.
 */
public final class Streams {
  static final String BOOT = System.getProperty("boot");

  static Admin admin() { return Admin.create(Map.of("bootstrap.servers", (Object) BOOT)); }

  static final class Log { String service; String user; long ts; double latency; }

  static final JsonFactory JSON = new JsonFactory();

  static Log parse(byte[] b) {
    Log l = new Log();
    if (b == null) { return null; }
    try (JsonParser p = JSON.createParser(b)) {
      p.nextToken();
      while (p.nextToken() == JsonToken.FIELD_NAME) {
        String f = p.currentName();
        JsonToken t = p.nextToken();
        switch (f) {
          case "timestamp" -> l.ts = time(p.getTextCharacters(), p.getTextOffset());
          case "service" -> l.service = p.getText();
          case "user_id" -> l.user = p.getText();
          case "latency_ms" -> l.latency = p.getDoubleValue();
          default -> { if (t.isStructStart()) { p.skipChildren(); } }
        }
      }
    } catch (java.io.IOException e) { throw new RuntimeException(e); }
    return l;
  }

  static long day; static int lastY, lastM, lastD;
  /** A hand-written RFC 3339 reader (UTC, ms): generous to this peer, Instant.parse costs far more. */
  static synchronized long days(int y, int m, int d) {
    if (y != lastY || m != lastM || d != lastD) { day = LocalDate.of(y, m, d).toEpochDay(); lastY = y; lastM = m; lastD = d; }
    return day;
  }
  static int n2(char[] c, int i) { return (c[i] - '0') * 10 + c[i + 1] - '0'; }
  static long time(char[] c, int o) {
    return ((days(n2(c, o) * 100 + n2(c, o + 2), n2(c, o + 5), n2(c, o + 8)) * 24 + n2(c, o + 11)) * 60 + n2(c, o + 14)) * 60000L + n2(c, o + 17) * 1000L + n2(c, o + 20) * 10 + c[o + 22] - '0';
  }

  static final class Agg { long n; double sum; }

  static byte[] enc(Agg g) { return ByteBuffer.allocate(16).putLong(g.n).putDouble(g.sum).array(); }
  static Agg dec(byte[] v) {
    if (v == null) { return null; }
    ByteBuffer b = ByteBuffer.wrap(v);
    Agg g = new Agg(); g.n = b.getLong(); g.sum = b.getDouble();
    return g;
  }

  static final LongAdder seen = new LongAdder(), parsed = new LongAdder();
  static volatile long firstNs, lastNs;

  static void hit() {
    seen.increment();
    long now = System.nanoTime();
    if (firstNs == 0) { firstNs = now; }
    lastNs = now;
  }

  public static void main(String[] args) throws Exception {
    long jvm0 = java.lang.management.ManagementFactory.getRuntimeMXBean().getStartTime();
    var os = (com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory.getOperatingSystemMXBean();
    String in = System.getProperty("in"), out = System.getProperty("out"), job = System.getProperty("job", "window");
    boolean rocks = System.getProperty("store", "mem").equals("rocks"), keyed = Boolean.getBoolean("keyed");
    long expect = Long.getLong("expect", 0), grace = Long.getLong("grace", 7200);
    try (Admin ad = admin()) {
      if (!ad.listTopics().names().get().contains(out)) {
        ad.createTopics(List.of(new NewTopic(out, 4, (short) 1).configs(Map.of("retention.ms", "-1")))).all().get();
      }
    }
    Properties c = new Properties();
    c.put("bootstrap.servers", BOOT);
    c.put("application.id", System.getProperty("app"));
    c.put("state.dir", System.getProperty("state"));
    c.put("auto.offset.reset", "earliest");
    for (String k : System.getProperties().stringPropertyNames()) { if (k.startsWith("ks.")) { c.put(k.substring(3), System.getProperty(k)); } }

    Serde<Log> logSerde = Serdes.serdeFrom((t, l) -> { throw new UnsupportedOperationException(); }, (t, b) -> parse(b));
    Serde<Agg> aggSerde = Serdes.serdeFrom((t, g) -> g == null ? null : enc(g), (t, b) -> dec(b));
    StreamsBuilder sb = new StreamsBuilder();
    KStream<String, Log> src = sb.stream(in, Consumed.with(Serdes.String(), logSerde).withTimestampExtractor((r, prev) -> ((Log) r.value()).ts));
    KStream<String, Double> vals;
    boolean session = job.equals("session");
    if (session) { src = src.filter((k, v) -> v.user != null); }
    if (keyed) { vals = src.mapValues(v -> { parsed.increment(); return v.latency; }); }
    else { vals = src.map((k, v) -> { parsed.increment(); return KeyValue.pair(session ? v.user : v.service, v.latency); }); }
    KGroupedStream<String, Double> g = vals.groupByKey(Grouped.with("g", Serdes.String(), Serdes.Double()));
    if (session) {
      Duration gap = Duration.ofMinutes(5), keep = gap.plusSeconds(grace).multipliedBy(2);
      Materialized<String, Long, SessionStore<Bytes, byte[]>> m = Materialized.as(rocks ? Stores.persistentSessionStore("s", keep) : Stores.inMemorySessionStore("s", keep));
      g.windowedBy(SessionWindows.ofInactivityGapAndGrace(gap, Duration.ofSeconds(grace)))
          .aggregate(() -> 0L, (k, v, x) -> { hit(); return x + 1; }, (k, x, y) -> x + y, m.withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
          .toStream().to(out, Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), Serdes.Long()));
    } else {
      Duration w = Duration.ofMinutes(1), keep = w.plusSeconds(grace);
      Materialized<String, Agg, WindowStore<Bytes, byte[]>> m = Materialized.as(rocks ? Stores.persistentWindowStore("s", keep, w, false) : Stores.inMemoryWindowStore("s", keep, w, false));
      g.windowedBy(TimeWindows.ofSizeAndGrace(w, Duration.ofSeconds(grace)))
          .aggregate(Agg::new, (k, v, x) -> {
            hit(); x.n++; x.sum += v;
            return x;
          }, m.withKeySerde(Serdes.String()).withValueSerde(aggSerde))
          .toStream().to(out, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 60000L), aggSerde));
    }
    var top = sb.build();
    KafkaStreams ks = new KafkaStreams(top, c);
    long t0 = System.nanoTime(), cpu0 = os.getProcessCpuTime();
    long up = System.currentTimeMillis() - jvm0;
    ks.setStateListener((nw, old) -> System.out.printf("t=%.3f state %s -> %s%n", (System.nanoTime() - t0) / 1e9, old, nw));
    ks.setUncaughtExceptionHandler(e -> { e.printStackTrace(); return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT; });
    ks.start();
    long nextPrint = t0;
    while (true) {
      Thread.sleep(20);
      long now = System.nanoTime();
      if (now > nextPrint) { nextPrint = now + 500_000_000L; System.out.printf("t=%.3f seen %d%n", (now - t0) / 1e9, seen.sum()); }
      if (seen.sum() >= expect) { break; } if (now - t0 > 300e9) { System.out.println("TIMEOUT " + seen.sum()); break; }
    }
    long cpu1 = os.getProcessCpuTime();
    double dropped = 0;
    for (var e : ks.metrics().entrySet()) { if (e.getKey().name().equals("dropped-records-total")) { dropped += ((Number) e.getValue().metricValue()).doubleValue(); } }
    long t2 = System.nanoTime();
    ks.close(Duration.ofSeconds(60));
    long t3 = System.nanoTime();
    String hwm = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(l -> l.startsWith("VmHWM")).findFirst().orElse("").replaceAll("\\D+", "");
    System.out.printf("RESULT seen=%d parsed=%d jvm_to_start=%.2f first=%.2f done=%.2f close=%.2f cpu_at_start=%.2f cpu_at_done=%.2f cpu_total=%.2f rss_mb=%d dropped=%.0f%n",
        seen.sum(), parsed.sum(), up / 1e3, (firstNs - t0) / 1e9, (lastNs - t0) / 1e9, (t3 - t2) / 1e9, cpu0 / 1e9, cpu1 / 1e9, os.getProcessCpuTime() / 1e9, Long.parseLong(hwm) / 1024, dropped);
    System.exit(0);
  }
}
