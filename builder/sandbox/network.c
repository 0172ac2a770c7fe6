// SPDX-License-Identifier: Apache-2.0
/*
 * Generated files hide those of the image while the command runs and never enter a layer. A build
 * asks only the name servers that the host is configured with: other builders add public ones when
 * none are left, this one does not.
 */
#include "builder/sandbox/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/mounts.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

/* The address of a "nameserver" line, or NULL. *len as in the text. */
static const char *nameserver(const char *line, size_t n, size_t *len)
{
	static const char word[] = "nameserver";
	const char *p = line + sizeof word - 1;
	size_t skip;

	if (n < sizeof word || memcmp(line, word, sizeof word - 1) != 0)
		return NULL;
	skip = strspn(p, " \t");
	if (skip == 0)
		return NULL;
	p += skip;
	*len = strcspn(p, " \t\r\n#;");
	return p < line + n ? p : NULL;
}

static bool is_loopback(const char *addr, size_t len)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in_addr v4;
	struct in6_addr v6;

	if (len >= sizeof text)
		return false;
	memcpy(text, addr, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static size_t line_length(const char *p)
{
	return strcspn(p, "\n");
}

static bool only_local_resolver(const char *conf)
{
	size_t servers = 0, local = 0;

	for (const char *p = conf; *p; p += line_length(p), p += *p == '\n') {
		size_t len = 0;
		const char *a = nameserver(p, line_length(p), &len);

		servers += a != NULL;
		local += a && len == strlen("127.0.0.53") && memcmp(a, "127.0.0.53", len) == 0;
	}
	return servers == 1 && local == 1;
}

void network_resolv_conf(
	const char *host, const char *stub, enum sandbox_network net, struct buf *out)
{
	if (host && stub && only_local_resolver(host))
		host = stub;
	if (!host)
		return;
	for (const char *p = host; *p; p += line_length(p), p += *p == '\n') {
		size_t n = line_length(p), len = 0;
		const char *a = nameserver(p, n, &len);

		if (a && net == SANDBOX_NET_NONE && is_loopback(a, len))
			continue;
		buf_add(out, p, n);
		buf_addc(out, '\n');
	}
}

static void add_hosts(struct buf *out)
{
	buf_adds(out, "127.0.0.1\tlocalhost\n");
	buf_adds(out, "::1\tlocalhost ip6-localhost ip6-loopback\n");
	/* As Debian does, and not in the line of ::1: getaddrinfo() would answer with that first,
	 * and a server that a test starts on the name of its host listens on IPv4. */
	buf_adds(out, "127.0.1.1\t" NETWORK_HOST_NAME "\n");
}

/* The text of a file of the host; *out NULL: not there, too large, not to be read by us. -1:
 * another error, without which RUN would have names to look up. */
static int host_file(const char *path, char **out, struct err **err)
{
	auto_buf struct buf b;
	auto_err struct err *why = NULL;

	buf_init(&b, NETWORK_RESOLV_MAX);
	*out = NULL;
	if (fs_read_file(AT_FDCWD, path, NETWORK_RESOLV_MAX, &b, &why) == 0) {
		*out = buf_take(&b);
		return 0;
	}
	switch (err_errno(why)) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO:
		return err_pass(err, &why);
	default:
		return 0;
	}
}

static int plan_file(struct op_list *l, const struct buf *b)
{
	const struct mounts_file f = {.data = b->data, .len = b->len, .mode = 0644};

	return mounts_plan_file(l, &f);
}

int network_plan_files(
	struct op_list *l, enum sandbox_network net, struct network_files *out, struct err **err)
{
	auto_free char *host = NULL, *stub = NULL;
	auto_buf struct buf resolv = {0}, hosts = {0};
	const struct buf name = {
		.data = (char[]){NETWORK_HOST_NAME "\n"}, .len = sizeof NETWORK_HOST_NAME};

	if (host_file("/etc/resolv.conf", &host, err) < 0 ||
		host_file("/run/systemd/resolve/resolv.conf", &stub, err) < 0)
		return -1;
	buf_init(&resolv, 2 * NETWORK_RESOLV_MAX);
	buf_init(&hosts, BUF_TEXT_MAX);
	network_resolv_conf(host, stub, net, &resolv);
	add_hosts(&hosts);
	out->resolv = plan_file(l, &resolv);
	out->hosts = plan_file(l, &hosts);
	out->hostname = plan_file(l, &name);
	return 0;
}

void network_plan_targets(struct op_list *l, const struct network_files *f)
{
	const struct {
		const char *path, *what;
		int slot;
	} file[] = {
		{"/etc/resolv.conf", "mount /etc/resolv.conf", f->resolv},
		{"/etc/hosts", "mount /etc/hosts", f->hosts},
		{"/etc/hostname", "mount /etc/hostname", f->hostname},
	};

	for (size_t i = 0; i < ARRAY_LEN(file); i++) {
		const struct target t = {file[i].path, TARGET_FILE, .stub = true};

		mounts_plan_attach(l, file[i].slot, &t, file[i].what,
			"the image must have a file there, or nothing");
	}
}

static int loopback_up(struct ops_state *st, const struct op *op)
{
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {.ifr_name = "lo"};

	(void)st;
	(void)op;
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		return -1;
	req.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &req);
}

/* procfs shows the sysctls of the network namespace of the process that looks. */
static int allow_ping(struct ops_state *st, const struct op *op)
{
	static const char range[] = "0 2147483647";
	auto_fd int fd =
		openat(st->slot[OPS_PROC], "sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);

	(void)op;
	return fd >= 0 && write(fd, range, sizeof range - 1) > 0 ? 0 : -1;
}

void network_plan_loopback(struct op_list *l, enum sandbox_network net)
{
	if (net != SANDBOX_NET_NONE)
		return;
	ops_add(l, &(struct op){loopback_up, .what = "bring up the loopback interface"});
	ops_add(l, &(struct op){allow_ping, .what = "allow ping", .optional = true});
}
