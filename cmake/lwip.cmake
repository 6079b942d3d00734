# The TCP/IP stack of --net tap is lwIP, compiled with the kernel's flags.  The source is a Debian
# source package at a pinned version, fetched when the build is configured; nothing of it is
# committed.  Needs the interface target hermit_image (uapi.cmake).
execute_process(
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/../scripts/fetch-source lwip
  OUTPUT_VARIABLE LWIP_SOURCE OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE LWIP_FETCH_STATUS)
if(NOT LWIP_FETCH_STATUS EQUAL 0)
  message(FATAL_ERROR "the source of lwIP could not be fetched (see above)")
endif()

set(LWIP_FILES
  def.c inet_chksum.c init.c ip.c mem.c memp.c netif.c pbuf.c raw.c tcp.c tcp_in.c tcp_out.c
  timeouts.c udp.c
  ipv4/dhcp.c ipv4/etharp.c ipv4/icmp.c ipv4/igmp.c ipv4/ip4.c ipv4/ip4_addr.c ipv4/ip4_frag.c
  ipv6/ethip6.c ipv6/icmp6.c ipv6/inet6.c ipv6/ip6.c ipv6/ip6_addr.c ipv6/ip6_frag.c ipv6/mld6.c
  ipv6/nd6.c)
list(TRANSFORM LWIP_FILES PREPEND ${LWIP_SOURCE}/src/core/)
list(APPEND LWIP_FILES ${LWIP_SOURCE}/src/netif/ethernet.c)

# For those who use it: its headers, and the port's, with lwipopts.h and arch/cc.h among them.
add_library(hermit_lwip INTERFACE)
target_include_directories(hermit_lwip SYSTEM INTERFACE
  ${PROJECT_SOURCE_DIR}/kernel/lwip ${LWIP_SOURCE}/src/include)

add_library(lwip OBJECT ${LWIP_FILES})
target_link_libraries(lwip PRIVATE hermit_image hermit_lwip)
# Third-party code: no warnings, and no sanitizer (it computes with pointers out of bounds).
set_source_files_properties(${LWIP_FILES} PROPERTIES COMPILE_OPTIONS "-w;-fno-sanitize=all")
set_source_files_properties(${LWIP_SOURCE}/src/core/ipv4/dhcp.c PROPERTIES
  COMPILE_DEFINITIONS LWIP_DNS=1)
# No tick ten times a second for groups that have nothing to report: lwip_group.c.
set_source_files_properties(${LWIP_SOURCE}/src/core/timeouts.c PROPERTIES
  COMPILE_DEFINITIONS "LWIP_IGMP=0;LWIP_IPV6_MLD=0")
