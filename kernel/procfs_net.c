/* SPDX-License-Identifier: MIT */
/* /proc/net: its files, and those tables that are always empty. */
#include "procfs.h"

static const char udp[] =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops            ";
static const char udp6[] =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
static const char arp[] = "IP address       HW type     Flags       HW address            Mask     "
                          "Device";
static const char sockstat[] = "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\n"
                               "UDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\n"
                               "FRAG: inuse 0 memory 0";
static const char sockstat6[] =
    "TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0";
static const char netlink[] = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  "
                              "Locks    Drops    Inode   ";
static const char packet[] = "sk       RefCnt Type Proto  Iface R Rmem   User   Inode";
static const char protocols[] =
    "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se "
    "re bi br ha uh gp em";
static const char snmp[] =
    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos "
    "InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs "
    "ReasmFails FragOKs FragFails FragCreates\n"
    "Ip: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets "
    "CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
    "Tcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0\n"
    "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "
    "IgnoredMulti MemErrors\nUdp: 0 0 0 0 0 0 0 0 0";

static void show_nothing(struct tree_text *t) {}

static const struct tree_entry rows[] = {
    {"arp", TREE_FILE, .constant = arp},
    {"dev", TREE_FILE, .show = proc_show_interfaces},
    {"if_inet6", TREE_FILE, .show = proc_show_if_inet6},
    {"igmp", TREE_FILE,
     .constant = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter"},
    {"ipv6_route", TREE_FILE, .show = show_nothing},
    {"netlink", TREE_FILE, .constant = netlink},
    {"packet", TREE_FILE, .constant = packet},
    {"protocols", TREE_FILE, .constant = protocols},
    {"raw", TREE_FILE, .constant = udp + 1},
    {"raw6", TREE_FILE, .constant = udp6},
    {"route", TREE_FILE, .show = proc_show_routes},
    {"snmp", TREE_FILE, .constant = snmp},
    {"sockstat", TREE_FILE, .constant = sockstat},
    {"sockstat6", TREE_FILE, .constant = sockstat6},
    {"tcp", TREE_FILE, .show = proc_show_tcp},
    {"tcp6", TREE_FILE, .show = proc_show_tcp6},
    {"udp", TREE_FILE, .show = proc_show_udp},
    {"udp6", TREE_FILE, .show = proc_show_udp6},
    {"udplite", TREE_FILE, .constant = udp},
    {"udplite6", TREE_FILE, .constant = udp6},
    {"unix", TREE_FILE, .constant = "Num       RefCount Protocol Flags    Type St Inode Path"},
};

const struct tree_dir proc_net_dir = TREE_ROWS(rows);
