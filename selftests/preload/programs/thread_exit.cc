// SPDX-License-Identifier: MIT
/*
 * Threads whose thread_local objects and pthread keys allocate while the
 * thread goes away.
 */
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <pthread.h>
#include <string>
#include <thread>
#include <vector>

#include "program.h"

static std::atomic<int> destructions;
static pthread_key_t key;

struct Member {
	std::vector<std::string> words;

	~Member()
	{
		std::vector<std::string> copy(words);

		copy.push_back(std::string(5000, 'y'));
		CHECK(copy[0] == "a word that does not fit into the object");
		delete[] new char[40000];
		destructions++;
	}
};

static thread_local Member member;

static void destroy(void *value)
{
	int left = *static_cast<int *>(value);

	delete static_cast<int *>(value);
	delete[] new char[700];
	destructions++;
	if (left)
		pthread_setspecific(key, new int(left - 1));
}

static void use_thread()
{
	member.words.push_back("a word that does not fit into the object");
	pthread_setspecific(key, new int(3));
}

static void run_threads(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		std::vector<std::thread> threads;

		for (int j = 0; j < 4; j++)
			threads.emplace_back(use_thread);
		for (auto &thread : threads)
			thread.join();
	}
}

static long resident_pages()
{
	std::ifstream statm("/proc/self/statm");
	long size, resident;

	statm >> size >> resident;
	return resident;
}

int main()
{
	const int rounds = 400;
	long before;

	need_hakmem();
	CHECK(!pthread_key_create(&key, destroy));
	run_threads(rounds / 4);
	before = resident_pages();
	run_threads(rounds);
	CHECK(destructions == 5 * 4 * (rounds + rounds / 4));
	/* Of an emulator they are its own. */
	CHECK(getenv("EMULATOR") || resident_pages() < before + 2000);
	return finish();
}
