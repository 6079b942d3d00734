/* SPDX-License-Identifier: MIT */
/* C++: exceptions through frames with destructors, static constructors, iostreams, containers. */
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <vector>

namespace {

int alive;
int constructed_before_main;

struct Tracked {
    Tracked() { alive++; }
    Tracked(const Tracked &) { alive++; }
    ~Tracked() { alive--; }
};

struct Early {
    Early() { constructed_before_main = 42; }
} early;

struct Base {
    virtual ~Base() = default;
    virtual int value() const { return 1; }
};
struct Derived : Base {
    int value() const override { return 2; }
};

[[noreturn]] void fail(int line, const char *text) {
    std::cout << "FAIL cxx_exceptions.cc:" << line << ": " << text << std::endl;
    std::exit(1);
}
#define CHECK(cond) ((cond) ? (void)0 : fail(__LINE__, #cond))

int descend(int depth) {
    Tracked here;
    if (depth == 0) throw std::out_of_range("bottom");
    return descend(depth - 1) + 1;
}

void deep_throw() {
    for (int i = 0; i < 100; i++) {
        try {
            descend(i);
            CHECK(!"descend returned");
        } catch (const std::logic_error &e) {
            CHECK(std::string(e.what()) == "bottom");
        }
        CHECK(alive == 0);
    }
}

void rethrow() {
    std::exception_ptr kept;
    try {
        try {
            throw std::string("inner");
        } catch (...) {
            Tracked t;
            kept = std::current_exception();
            throw;
        }
    } catch (const std::string &s) {
        CHECK(s == "inner");
    }
    CHECK(alive == 0);
    try {
        std::rethrow_exception(kept);
    } catch (const std::string &s) {
        CHECK(s == "inner");
    }
}

void library_throws() {
    std::vector<int> v(3);
    bool caught = false;
    try {
        v.at(10) = 1;
    } catch (const std::out_of_range &) {
        caught = true;
    }
    CHECK(caught);
    caught = false;
    try {
        std::stoi("not a number");
    } catch (const std::invalid_argument &) {
        caught = true;
    }
    CHECK(caught);
    caught = false;
    try {
        volatile std::size_t huge = static_cast<std::size_t>(-1) / 2;
        char *p = new char[huge];
        __asm__ volatile("" : : "r"(p) : "memory");
    } catch (const std::bad_alloc &) {
        caught = true;
    }
    CHECK(caught);
    Base plain;
    caught = false;
    try {
        (void)dynamic_cast<Derived &>(plain);
    } catch (const std::bad_cast &) {
        caught = true;
    }
    CHECK(caught);
}

void containers() {
    std::map<std::string, int> words;
    std::istringstream in("one two three two three three");
    for (std::string w; in >> w;)
        words[w]++;
    CHECK(words.size() == 3 && words["three"] == 3);
    std::unique_ptr<Base> p = std::make_unique<Derived>();
    CHECK(p->value() == 2);
    const Base &object = *p;
    CHECK(typeid(object) == typeid(Derived));
    std::ostringstream out;
    out << 3.25 << ' ' << std::hex << 255;
    CHECK(out.str() == "3.25 ff");
}

} // namespace

int main() {
    CHECK(constructed_before_main == 42);
    deep_throw();
    rethrow();
    library_throws();
    containers();
    std::cout << "ok exceptions" << std::endl;
    return 0;
}
