/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of devices: any node may be made; null, zero, full, random, urandom, tty, console, ptmx,
 * pseudo terminals and tun may be opened. It is docker's list.
 */
#ifndef BLD_BUILDER_SANDBOX_DEVRULES_H
#define BLD_BUILDER_SANDBOX_DEVRULES_H

/* Put it into force in a control group, by its directory. 0 / -1 errno */
int devrules_set_v1(int dir);
int devrules_set_v2(int dir); /* a BPF program, which goes with the group */

#endif
