// SPDX-License-Identifier: MIT
// C++20: threads, atomics, exceptions across threads, futures, latches, filesystem.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <execution>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <latch>
#include <locale>
#include <mutex>
#include <numeric>
#include <random>
#include <regex>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <vector>
namespace fs = std::filesystem;
int main() {
    std::atomic<long> n{0};
    std::vector<std::thread> ts;
    for (int i = 0; i < 16; i++)
        ts.emplace_back([&] {
            for (int k = 0; k < 100000; k++)
                n.fetch_add(1);
        });
    for (auto &t : ts)
        t.join();
    std::cout << "atomics " << n << "\n";
    std::exception_ptr ep;
    std::thread e([&] {
        try {
            throw std::runtime_error("from thread");
        } catch (...) {
            ep = std::current_exception();
        }
    });
    e.join();
    try {
        std::rethrow_exception(ep);
    } catch (std::exception &x) {
        std::cout << x.what() << "\n";
    }
    std::vector<std::future<long>> fu;
    for (int i = 0; i < 20; i++)
        fu.push_back(std::async(std::launch::async, [i] {
            if (i == 7) throw std::out_of_range("seven");
            long s = 0;
            for (int k = 0; k < 10000; k++)
                s += k * i;
            return s;
        }));
    long s = 0;
    for (auto &f : fu)
        try {
            s += f.get();
        } catch (std::out_of_range &x) {
            std::cout << "exc " << x.what() << "\n";
        }
    std::cout << s << "\n";
    // exceptions in many threads at the same time
    std::atomic<int> caught{0};
    {
        std::vector<std::jthread> js;
        for (int i = 0; i < 8; i++)
            js.emplace_back([&] {
                for (int k = 0; k < 2000; k++)
                    try {
                        throw k;
                    } catch (int v) {
                        caught += v == k;
                    }
            });
    }
    std::cout << "caught " << caught << "\n";
    fs::path d = fs::temp_directory_path() / ("cxx" + std::to_string(1));
    fs::remove_all(d);
    fs::create_directories(d / "a/b/c");
    for (int i = 0; i < 50; i++)
        std::ofstream(d / "a" / ("f" + std::to_string(i))) << std::string(i * 10, 'x');
    fs::create_symlink("f3", d / "a/link");
    fs::create_hard_link(d / "a/f4", d / "a/hard");
    fs::copy(d / "a", d / "copy", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    long tot = 0, cnt = 0;
    for (auto &p : fs::recursive_directory_iterator(d)) {
        cnt++;
        if (p.is_regular_file()) tot += p.file_size();
    }
    std::cout << cnt << " " << tot << " " << fs::read_symlink(d / "a/link") << " "
              << fs::hard_link_count(d / "a/f4") << "\n";
    fs::rename(d / "copy", d / "moved");
    fs::permissions(d / "moved/f1", fs::perms::owner_read);
    std::cout << std::oct << (int)fs::status(d / "moved/f1").permissions() << std::dec << "\n";
    fs::resize_file(d / "a/f1", 4096);
    std::cout << fs::file_size(d / "a/f1") << " " << (fs::space(d).capacity > 0) << "\n";
    fs::last_write_time(d / "a/f1", fs::file_time_type::clock::now() - std::chrono::hours(1));
    try {
        (void)fs::file_size(d / "none");
    } catch (fs::filesystem_error &x) {
        std::cout << x.code().message() << "\n";
    }
    std::cout << fs::remove_all(d) << "\n";
    std::barrier b(4);
    std::latch l(4);
    std::counting_semaphore<8> sem(2);
    std::atomic<int> phase{0};
    {
        std::vector<std::jthread> js;
        for (int i = 0; i < 4; i++)
            js.emplace_back([&] {
                for (int k = 0; k < 500; k++) {
                    b.arrive_and_wait();
                    sem.acquire();
                    phase++;
                    sem.release();
                }
                l.count_down();
            });
        l.wait();
    }
    std::cout << phase << "\n";
    std::jthread st([](std::stop_token t) {
        std::mutex m;
        std::condition_variable_any cv;
        std::unique_lock lk(m);
        cv.wait(lk, t, [] { return false; });
    });
    st.request_stop();
    st.join();
    std::shared_mutex sm;
    int val = 0;
    {
        std::vector<std::jthread> js;
        for (int i = 0; i < 6; i++)
            js.emplace_back([&, i] {
                for (int k = 0; k < 2000; k++) {
                    if (i % 3 == 0) {
                        std::unique_lock u(sm);
                        val++;
                    } else {
                        std::shared_lock u(sm);
                        (void)val;
                    }
                }
            });
    }
    std::cout << val << "\n";
    std::timed_mutex tm;
    tm.lock();
    std::thread([&] { std::cout << tm.try_lock_for(std::chrono::milliseconds(5)) << "\n"; }).join();
    std::atomic<int> w{0};
    std::thread wt([&] {
        w.wait(0);
        std::cout << "notified\n";
    });
    w = 1;
    w.notify_all();
    wt.join();
    std::mt19937 g(42);
    std::vector<int> v(1 << 20);
    for (auto &x : v)
        x = g();
    std::sort(v.begin(), v.end());
    std::cout << v[1000] << "\n";
    std::cout << std::regex_replace("hello world", std::regex("o"), "0") << "\n";
    std::random_device rd;
    std::cout << (rd() != rd()) << "\n";
    std::cout << std::thread::hardware_concurrency() << "\n";
}
