// SPDX-License-Identifier: MIT
// Thread pools, parallel streams, maps that threads share, GC.
import java.util.*; import java.util.concurrent.*; import java.util.stream.*;
public class Work {
  public static void main(String[] a) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    List<Future<Long>> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      final int n = i;
      all.add(pool.submit(() -> {
        Map<Integer, String> m = new HashMap<>();
        for (int k = 0; k < 20000; k++) m.put(k * n, "v" + k);
        long s = 0;
        for (String v : m.values()) s += v.hashCode();
        return s;
      }));
    }
    long s = 0;
    for (Future<Long> f : all) s += f.get();
    pool.shutdown();
    System.out.println(s + " " + pool.awaitTermination(5, TimeUnit.SECONDS));
    System.out.println(IntStream.range(0, 5_000_000).parallel().filter(x -> x % 7 == 3).count());
    ConcurrentHashMap<String, Integer> c = new ConcurrentHashMap<>();
    Thread[] ts = new Thread[20];
    for (int i = 0; i < 20; i++)
      (ts[i] = new Thread(() -> { for (int k = 0; k < 5000; k++) c.merge("k" + k % 10, 1, Integer::sum); })).start();
    for (Thread t : ts) t.join();
    System.out.println(new TreeMap<>(c));
    System.gc();
    System.out.println(Runtime.getRuntime().availableProcessors());
  }
}
