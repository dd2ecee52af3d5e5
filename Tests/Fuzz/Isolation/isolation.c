#define _GNU_SOURCE  // MAP_ANONYMOUS, pipe2
#include "isolation.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

// What libFuzzer counts edges with; absent where nothing is instrumented.
extern uint8_t __start___sancov_cntrs[] __attribute__((weak));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak));

enum { largest_image = 512 << 20, largest_reply = 64 << 20, refused = 65 };

// What a child leaves behind in libhdf5 must not add up.
enum { calls_of_a_child = 500 };

static struct {
  pid_t process;
  int calls;
  int orders, answers;
} child = {.orders = -1, .answers = -1};

typedef struct exchange {
  size_t image_size, reply_count;
  uint8_t image[largest_image], reply[largest_reply];
} exchange;

static exchange *shared;
static uint8_t *child_counters;

static size_t counter_count(void) { return __start___sancov_cntrs ? __stop___sancov_cntrs - __start___sancov_cntrs : 0; }

static void *shared_pages(size_t count) {
  void *pages = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

static void limit_time(long milliseconds) {
  struct itimerval time = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000}};
  setitimer(ITIMER_PROF, &time, NULL);
  // A child that waits for what never comes uses no processor time.
  alarm(milliseconds ? (unsigned)(milliseconds / 1000) + 30 : 0);
}

static void limit_child(void) {
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGALRM, SIGXCPU, SIGPROF, SIGTERM};
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) signal(deadly[i], SIG_DFL);
  struct rlimit none = {0, 0}, memory = {1ul << 30, 1ul << 30};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_DATA, &memory);
}

static uint8_t parse_as_child(zoo_parser parser, long milliseconds) {
  if (child_counters) memset(__start___sancov_cntrs, 0, counter_count());
  zoo_text json = {.limit = largest_reply}, problem = {.limit = 1 << 16};
  limit_time(milliseconds);
  int result = parser(shared->image, shared->image_size, &json, &problem);
  limit_time(0);
  const zoo_text *reply = result == 0 ? &json : &problem;
  shared->reply_count = reply->count;
  if (reply->count) memcpy(shared->reply, reply->bytes, reply->count);
  if (child_counters) memcpy(child_counters, __start___sancov_cntrs, counter_count());
  zoo_text_free(&json);
  zoo_text_free(&problem);
  return result == 0 ? 0 : refused;
}

static void serve(zoo_parser parser, long milliseconds, int orders, int answers) {
  limit_child();
  for (uint8_t byte; read(orders, &byte, 1) == 1;) {
    byte = parse_as_child(parser, milliseconds);
    if (write(answers, &byte, 1) != 1) break;
  }
  _exit(0);
}

static void end_child(int *status) {
  close(child.orders);
  close(child.answers);
  while (waitpid(child.process, status, 0) < 0 && errno == EINTR) {}
  child.process = 0;
}

static int start_child(zoo_parser parser, long milliseconds) {
  int orders[2], answers[2];
  if (pipe2(orders, O_CLOEXEC) != 0) return -1;
  if (pipe2(answers, O_CLOEXEC) != 0) return -1;
  child.process = fork();
  if (child.process < 0) return -1;
  if (child.process == 0) {
    close(orders[1]);
    close(answers[0]);
    serve(parser, milliseconds, orders[0], answers[1]);
  }
  close(orders[0]);
  close(answers[1]);
  child.orders = orders[1];
  child.answers = answers[0];
  child.calls = 0;
  return 0;
}

static void count_coverage(void) {
  if (!child_counters) return;
  for (size_t i = 0; i < counter_count(); i++) {
    unsigned sum = (unsigned)__start___sancov_cntrs[i] + child_counters[i];
    __start___sancov_cntrs[i] = sum > 255 ? 255 : (uint8_t)sum;
  }
}

int zoo_parse_isolated(zoo_parser parser, const void *image, size_t size, long milliseconds, const uint8_t **reply,
                       size_t *count) {
  int status = 0;
  if (size > largest_image || (!shared && !(shared = shared_pages(sizeof *shared)))) return -1;
  if (!child_counters && counter_count()) child_counters = shared_pages(counter_count());
  if (child.process && child.calls >= calls_of_a_child) end_child(&status);
  if (!child.process && start_child(parser, milliseconds) != 0) return -1;
  memcpy(shared->image, image, size);
  shared->image_size = size;
  child.calls++;
  uint8_t answer = 0;
  ssize_t got = write(child.orders, &answer, 1);
  if (got == 1)
    do got = read(child.answers, &answer, 1);
    while (got < 0 && errno == EINTR);
  if (got != 1) {
    end_child(&status);
    return status;
  }
  count_coverage();
  *reply = shared->reply;
  *count = shared->reply_count;
  return answer << 8;
}
