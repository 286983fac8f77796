/* SPDX-License-Identifier: Apache-2.0 */
/* Answers every HTTP request with one line, on port 8080 or that of $PORT. `--self-test` asks itself once. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__aarch64__)
#define MACHINE "aarch64"
#elif defined(__x86_64__)
#define MACHINE "x86_64"
#else
#define MACHINE "another machine"
#endif

static int listen_on(unsigned port, unsigned *bound)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	socklen_t len = sizeof(address);
	const int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		perror("service: listen");
		return -1;
	}
	*bound = ntohs(address.sin_port);
	return fd;
}

static void answer(int fd)
{
	static const char body[] = "hello from " MACHINE "\n";
	char request[4096], reply[256];
	const ssize_t n = read(fd, request, sizeof(request));
	const int len = snprintf(reply, sizeof(reply),
				 "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
				 strlen(body), body);

	if (n > 0 && write(fd, reply, (size_t)len) != len)
		perror("service: write");
	close(fd);
}

static int self_test(int listener, unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((unsigned short)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	char reply[256] = "";

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || write(fd, "GET /\r\n", 7) != 7)
		return 1;
	answer(accept(listener, NULL, NULL));
	if (read(fd, reply, sizeof(reply) - 1) <= 0 || !strstr(reply, "hello from " MACHINE))
		return 1;
	puts("hello from " MACHINE);
	return 0;
}

int main(int argc, char **argv)
{
	const int test = argc > 1 && strcmp(argv[1], "--self-test") == 0;
	const char *text = getenv("PORT");
	unsigned port = test ? 0 : text ? (unsigned)strtoul(text, NULL, 10) : 8080;
	const int listener = listen_on(port, &port);

	if (listener < 0)
		return 1;
	if (test)
		return self_test(listener, port);
	printf("listening on port %u\n", port);
	fflush(stdout);
	for (;;) {
		const int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			answer(fd);
	}
}
