/* SPDX-License-Identifier: MIT */
/* lwIP as the kernel uses it: the raw API alone, under the kernel lock, all memory from the heap.
 * What is not set here is lwIP's default (opt.h). */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0

/* Memory: nothing is set aside; what a connection may hold is bounded below. */
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define mem_clib_malloc kmalloc
#define mem_clib_calloc(count, size) kzalloc((size_t)(count) * (size))
#define mem_clib_free kfree
#define PBUF_POOL_BUFSIZE 1984 /* with its record a block of 2 KiB */
#define PBUF_POOL_FREE_OOSEQ 0

/* Ethernet, IPv4 and IPv6. */
#define LWIP_ARP 1
#define ARP_TABLE_SIZE 64
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 16
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
#define LWIP_IPV4 1
#define IP_REASS_MAX_PBUFS 128
#define LWIP_ICMP 1
#define LWIP_RAW 1
#ifndef LWIP_IGMP /* timers of groups run while there is something to report (lwip_group.c) */
#define LWIP_IGMP 1
#endif
#define LWIP_AUTOIP 0
#define LWIP_BROADCAST_PING 0
#define LWIP_IPV6 1
#ifndef LWIP_IPV6_MLD
#define LWIP_IPV6_MLD 1
#endif
/* An address is the interface's own from the start: who has the Ethernet address has it. */
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_IPV6_NUM_ADDRESSES 5 /* link-local, the one that was given, of three prefixes */
#define LWIP_ND6_NUM_NEIGHBORS 64
#define LWIP_ND6_NUM_DESTINATIONS 64
#define IPV6_FRAG_COPYHEADER 1 /* pointers of 64 bits do not fit into a fragment's header */
struct ip6_addr;
const struct ip6_addr *stack_gateway6(void);
#define LWIP_HOOK_ND6_GET_GW(netif, dest) stack_gateway6()
/* lwIP's resolver is not used; its client of DHCP, alone, is compiled as if it were there, so that
 * it tells what name servers it was given (cmake/lwip.cmake). */
#ifndef LWIP_DNS
#define LWIP_DNS 0
#endif
#define DNS_MAX_SERVERS 3
#define LWIP_DHCP_MAX_DNS_SERVERS 3
#define LWIP_DHCP 1
#define DHCP_DOES_ARP_CHECK 0
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LOOPBACK 0
#define LWIP_SINGLE_NETIF 1
/* How far the device takes checksums over is known per frame (lwip_netif.c). */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

/* DHCP's answer names resolvers: lwip_netif.c keeps them. */
struct ip_addr;
void dns_setserver(unsigned char number, const struct ip_addr *server);

#define IP_DEFAULT_TTL 64
#define LWIP_UDP 1
#define SO_REUSE 1
#define SO_REUSE_RXTOALL 1

/* TCP.  Windows are those of Linux's middle sizes (tcp_rmem, tcp_wmem). */
#define LWIP_TCP 1
#define TCP_MSL 5000 /* ms; closed connections are kept for twice as long */
#define TCP_MSS 1460
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 5
#define TCP_WND (1024 * 1024)
#define TCP_SND_BUF (512 * 1024)
#define TCP_SND_QUEUELEN 4096
#define TCP_SNDLOWAT 16384 /* not used: poll(2) goes by tcp_sndbuf() */
#define MEMP_NUM_TCP_SEG TCP_SND_QUEUELEN
#define TCP_LISTEN_BACKLOG 1
#define TCP_DEFAULT_LISTEN_BACKLOG 255
#define TCP_QUEUE_OOSEQ 1
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_KEEPALIVE 1
#define LWIP_TCP_MAX_SACK_NUM 4
#define TCP_CALCULATE_EFF_SEND_MSS 1
/* Nobody shall guess where a connection's numbers begin (RFC 6528). */
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) LWIP_RAND()

/* Their names are taken in the kernel. */
#define tcp_accept lwip_tcp_accept
#define tcp_connect lwip_tcp_connect
#define tcp_new lwip_tcp_new
#define tcp_recv lwip_tcp_recv
#define udp_send lwip_udp_send
#define udp_recv lwip_udp_recv

#endif
