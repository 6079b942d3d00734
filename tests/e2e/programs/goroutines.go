// SPDX-License-Identifier: MIT
// Thousands of goroutines that wait for each other, for timers and for the garbage collector.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const many = 10000

// A ring: a token goes through all of them.
func ring() int {
	first := make(chan int)
	in := first
	for i := 0; i < many; i++ {
		out := make(chan int)
		go func(in <-chan int, out chan<- int) { out <- 1 + <-in }(in, out)
		in = out
	}
	first <- 0
	return <-in
}

func locked() int {
	var mu sync.Mutex
	var rw sync.RWMutex
	var wg sync.WaitGroup
	count, shared := 0, map[int]int{}
	for i := 0; i < many; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			mu.Lock()
			count++
			mu.Unlock()
			if i%10 == 0 {
				rw.Lock()
				shared[i] = i
				rw.Unlock()
			} else {
				rw.RLock()
				_ = shared[i]
				rw.RUnlock()
			}
		}(i)
	}
	wg.Wait()
	return count + len(shared)
}

// Every goroutine sleeps, some are told to stop.
func timers() (fired, stopped int64) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := 0; i < many; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			d := time.Duration(i%20) * time.Millisecond
			if i%2 == 0 {
				d = time.Hour
			}
			select {
			case <-time.After(d):
				atomic.AddInt64(&fired, 1)
			case <-ctx.Done():
				atomic.AddInt64(&stopped, 1)
			}
		}(i)
	}
	for atomic.LoadInt64(&fired) < many/2 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	wg.Wait()
	return
}

type node struct {
	left, right *node
	payload     [64]byte
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

// Garbage from several goroutines while the collector runs.
func garbage() int {
	var sum int64
	var wg sync.WaitGroup
	for g := 0; g < 4; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < 12; i++ {
				atomic.AddInt64(&sum, int64(tree(12).count()))
			}
		}()
	}
	for i := 0; i < 5; i++ {
		runtime.GC()
	}
	wg.Wait()
	return int(sum)
}

func files() int {
	dir, err := os.MkdirTemp("", "goroutines")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	var wg sync.WaitGroup
	for i := 0; i < 100; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			name := filepath.Join(dir, fmt.Sprint(i))
			if err := os.WriteFile(name, make([]byte, i), 0600); err != nil {
				panic(err)
			}
		}(i)
	}
	wg.Wait()
	found, _ := filepath.Glob(filepath.Join(dir, "*"))
	return len(found)
}

func main() {
	fmt.Println("CPUs", runtime.GOMAXPROCS(0))
	fmt.Println("ring", ring())
	fmt.Println("locks", locked())
	fired, stopped := timers()
	fmt.Println("timers", fired, stopped)
	fmt.Println("garbage", garbage())
	fmt.Println("files", files())
}
