// SPDX-License-Identifier: Apache-2.0
/*
 * Mounts of the specification. A bind mount with layers as its source mounts their overlay first,
 * finds the path inside it by descriptor (links end in that root), and clones what it found. A
 * throw-away mount is the same with an upper directory in the scratch directory.
 */
#include "builder/sandbox/usermounts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/sandbox/kernel.h"
#include "builder/sandbox/mounts.h"
#include "builder/sandbox/namespace.h"
#include "builder/sandbox/ops.h"
#include "store/base/mem.h"

static bool is_bind(const struct sandbox_mount *m)
{
	return m->kind == SANDBOX_MOUNT_BIND || m->kind == SANDBOX_MOUNT_SCRATCH;
}

static int check_mount(const struct sandbox_mount *m, struct err **err)
{
	struct stat sb;

	if (m->target[0] != '/' || m->target[strspn(m->target, "/.")] == '\0')
		return err_set(
			err, ERR_SANDBOX, "mount target %s: must be a path below /", m->target);
	if (!is_bind(m))
		return 0;
	if (m->source_fd < 0 ? m->lowers.n == 0 : m->kind == SANDBOX_MOUNT_SCRATCH)
		return err_set(err, ERR_SANDBOX, "mount %s: there is no source", m->target);
	if (m->source_fd >= 0 && fstat(m->source_fd, &sb) < 0)
		return err_sys_kind(err, ERR_SANDBOX, "mount %s: source", m->target);
	return 0;
}

int usermounts_init(struct usermounts *u, struct op_list *l, struct err **err)
{
	size_t n = u->spec->nmounts;

	u->slot = ops_array(l, n, sizeof *u->slot);
	for (size_t i = 0; i < n; i++) {
		if (check_mount(&u->spec->mounts[i], err) < 0)
			return -1;
		u->slot[i] = ops_slot(l);
	}
	return 0;
}

/* --- sources --------------------------------------------------------------------------------- */

static int clone_source(struct ops_state *st, const struct op *op)
{
	st->slot[op->out] = kernel_clone_tree(st->slot[op->in], op->flags);
	return st->slot[op->out] < 0 ? -1 : 0;
}

static uint64_t attributes(const struct usermounts *u, const struct sandbox_mount *m)
{
	return MOUNT_ATTR_NOSUID | (u->devices ? 0 : MOUNT_ATTR_NODEV) |
	       (m->readonly ? MOUNT_ATTR_RDONLY : 0) | (m->noexec ? MOUNT_ATTR_NOEXEC : 0);
}

static bool needs_overlay(const struct sandbox_mount *m)
{
	return is_bind(m) && m->source_fd < 0;
}

void usermounts_plan_descriptors(struct usermounts *u, struct op_list *l)
{
	for (size_t i = 0; i < u->spec->nmounts; i++) {
		const struct sandbox_mount *m = &u->spec->mounts[i];
		const char *what = ops_text(l, "open the source of %s", m->target);
		struct op op = {clone_source, .what = what, .out = u->slot[i]};

		if (!is_bind(m) || needs_overlay(m))
			continue;
		op.in = ops_slot_fd(l, m->source_fd);
		op.flags = attributes(u, m);
		ops_add(l, &op);
	}
}

/* --- overlays -------------------------------------------------------------------------------- */

static int plan_overlay(struct usermounts *u, size_t i, struct op_list *l, struct err **err)
{
	const struct sandbox_mount *m = &u->spec->mounts[i];
	size_t n = 0;
	auto_free struct overlay_lower *lower = mem_array(m->lowers.n + 2, sizeof *lower);
	struct overlay o = {.devices = u->devices,
		.lower = lower,
		.upper = -1,
		.work = -1,
		.out = u->slot[i],
		.api = u->api};

	if (m->kind == SANDBOX_MOUNT_BIND && m->lowers.n < 2)
		lower[n++].slot = u->empty;
	if (overlay_plan_lowers(l, u->indexes, &m->lowers, lower + n, err) < 0)
		return -1;
	n += m->lowers.n;
	o.n = n;
	o.what = ops_text(l, "mount the overlay of %zu layers for %s", n, m->target);
	if (m->kind == SANDBOX_MOUNT_SCRATCH) {
		char name[32];

		snprintf(name, sizeof name, "m%zu", i);
		if (overlay_plan_upper(l, u->spec->scratch_fd, name, &o, err) < 0)
			return -1;
	}
	return overlay_plan(l, &o, err);
}

int usermounts_plan_overlays(struct usermounts *u, struct op_list *l, struct err **err)
{
	for (size_t i = 0; i < u->spec->nmounts; i++)
		if (needs_overlay(&u->spec->mounts[i]) && plan_overlay(u, i, l, err) < 0)
			return -1;
	return 0;
}

/* --- inside ---------------------------------------------------------------------------------- */

/* Replace the overlay in slot `out` by a clone of a path inside it. */
static int clone_inner(struct ops_state *st, const struct op *op)
{
	auto_fd int fd = kernel_open(
		st->slot[op->out], op->arg, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	int tree;

	if (fd < 0)
		return -1;
	tree = kernel_clone_tree(fd, op->flags);
	if (tree < 0)
		return -1;
	close(st->slot[op->out]);
	st->slot[op->out] = tree;
	return 0;
}

static void plan_tmpfs(
	const struct usermounts *u, struct op_list *l, const struct sandbox_mount *m, int out)
{
	struct kernel_fs_opt opt[4] = {
		{.key = "mode", .value = ops_text(l, "%o", m->mode & 07777)},
		{.key = "uid", .value = ops_text(l, "%u", m->uid)},
		{.key = "gid", .value = ops_text(l, "%u", m->gid)},
	};
	size_t n = 3;

	if (m->size_bytes)
		opt[n++] = (struct kernel_fs_opt){
			.key = "size",
			.value = ops_text(l, "%llu", (unsigned long long)m->size_bytes),
		};
	mounts_plan_fs(l, &(struct kernel_fs){"tmpfs", opt, n, attributes(u, m)}, out,
		ops_text(l, "make the tmpfs of %s", m->target), false);
}

void usermounts_plan_inner(struct usermounts *u, struct op_list *l)
{
	for (size_t i = 0; i < u->spec->nmounts; i++) {
		const struct sandbox_mount *m = &u->spec->mounts[i];
		const char *source =
			m->source_fd >= 0 || !m->source || !*m->source ? "/" : m->source;
		struct op op = {clone_inner, .out = u->slot[i], .flags = attributes(u, m)};

		if (m->kind == SANDBOX_MOUNT_FILE) {
			struct mounts_file f = {m->data, m->len, m->mode, m->uid, m->gid};

			u->slot[i] = mounts_plan_file(l, &f);
		} else if (m->kind == SANDBOX_MOUNT_TMPFS) {
			plan_tmpfs(u, l, m, u->slot[i]);
		} else if (needs_overlay(m)) {
			if (u->api != OVERLAY_CLASSIC)
				namespace_plan_park(l, u->slot[i],
					ops_text(l, "hold the source of %s", m->target));
			op.what = ops_text(l, "open %s, the source of %s", source, m->target);
			op.arg = ops_text(l, "%s", source);
			ops_add(l, &op);
		}
	}
}

void usermounts_plan_targets(struct usermounts *u, struct op_list *l)
{
	for (size_t i = 0; i < u->spec->nmounts; i++) {
		const struct sandbox_mount *m = &u->spec->mounts[i];
		const struct target t = {m->target, TARGET_ANY, .stub = true};

		mounts_plan_attach(l, u->slot[i], &t, ops_text(l, "mount %s", m->target), NULL);
	}
}
