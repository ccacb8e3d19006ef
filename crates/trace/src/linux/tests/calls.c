// Makes the system calls that its arguments spell, directly: NUMBER ARGUMENT... , NUMBER ...
//   i:N a number    s:TEXT a string    b: a buffer    r: the last result    h:F,M,R an open_how
//   u:PATH the address of a socket in the file system    n: that of a machine    c:N clone_args
//   m:PATH a header of a message to such an address
#define _GNU_SOURCE
#include <signal.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char buffer[65536];
static long last;

static long argument(const char *text) {
  const char *rest = text + 2;
  switch (text[0]) {
  case 'i': return strtol(rest, 0, 0);
  case 's': return (long)rest;
  case 'b': return (long)buffer;
  case 'r': return last;
  case 'h': { uint64_t *how = calloc(3, 8); sscanf(rest, "%li,%li,%li", (long *)how, (long *)how + 1, (long *)how + 2); return (long)how; }
  case 'c': { uint64_t *args = calloc(11, 8); args[0] = strtol(rest, 0, 0); args[4] = SIGCHLD; return (long)args; }
  case 'u': { struct sockaddr_un *a = calloc(1, sizeof *a); a->sun_family = AF_UNIX; strcpy(a->sun_path, rest); return (long)a; }
  case 'n': { struct sockaddr_in *a = calloc(1, sizeof *a); a->sin_family = AF_INET; a->sin_port = htons(9); a->sin_addr.s_addr = htonl(INADDR_LOOPBACK); return (long)a; }
  case 'm': { struct mmsghdr *h = calloc(1, sizeof *h); struct sockaddr_un *a = calloc(1, sizeof *a); a->sun_family = AF_UNIX; strcpy(a->sun_path, rest); h->msg_hdr.msg_name = a; h->msg_hdr.msg_namelen = sizeof *a; return (long)h; }
  }
  exit(99);
}

int main(int argc, char **argv) {
  (void)argc;
  char **at = argv + 1;
  while (*at) {
    if (!strcmp(*at, "fork")) { at += 2; pid_t child = fork(); if (child) { int status; waitpid(child, &status, 0); return WEXITSTATUS(status); } continue; }
    if (!strcmp(*at, "linger")) { if (!fork()) { close(0); close(1); close(2); sleep(30); _exit(0); } return 0; }
    if (!strcmp(*at, "int80")) {
#ifdef __x86_64__
      char *low = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
      strcpy(low, at[1]);
      long result;
      __asm__ volatile("int $0x80" : "=a"(result) : "a"(5), "b"(low), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
      return result < 0;
#else
      return 1;
#endif
    }
    long nr = strtol(*at++, 0, 0), a[6] = {0};
    for (int i = 0; *at && strcmp(*at, ","); at++) a[i++] = argument(*at);
    if (*at) at++;
    last = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (last < 0 && getenv("LOUD")) fprintf(stderr, "%ld: %s\n", nr, strerror(errno));
  }
  return 0;
}
