// SPDX-License-Identifier: GPL-2.0-or-later

package render

// sentence is how netstat says one counter.
type sentence struct {
	key string
	// text has %d for the number. Each is one constant string, whole, for a catalogue of
	// translations to be keyed by. A counter without a text is never shown.
	text string
	rule mibRule
}

// mibRule says when a sentence is shown.
type mibRule uint8

const (
	always mibRule = iota
	nonZero
	// The histograms of ICMP messages by type: lines that are not 0, below a title.
	histogramIn
	histogramOut
)

// The tables have the keys in the order of their bytes, to be searched by halves. netstat
// searches so too, but two of its own tables (Ip, TcpExt) are not in order, and one key of
// Icmp6 ends in a blank: the sentences that it can never find are left out here, so that
// Forwarding, TCPTimeouts, TCPLoss, TWKilled, Icmp6OutRouterAdvertisements and 14 more are
// printed by their keys. Spelling is as found.

var sentencesIP = []sentence{
	{key: "DefaultTTL"},
	{"ForwDatagrams", "%d forwarded", always},
	{"FragCreates", "%d fragments created", nonZero},
	{"FragFails", "%d outgoing packets failed fragmentation", nonZero},
	{"FragOKs", "%d outgoing packets fragmented ok", nonZero},
	{"InAddrErrors", "%d with invalid addresses", nonZero},
	{"InDelivers", "%d incoming packets delivered", always},
	{"InDiscards", "%d incoming packets discarded", always},
	{"InHdrErrors", "%d with invalid headers", nonZero},
	{"InReceives", "%d total packets received", always},
	{"InUnknownProtos", "%d with unknown protocol", nonZero},
	{"OutDiscards", "%d outgoing packets dropped", nonZero},
	{"OutNoRoutes", "%d dropped because of missing route", nonZero},
	{"OutRequests", "%d requests sent out", always},
	{"ReasmFails", "%d packet reassemblies failed", nonZero},
	{"ReasmOKs", "%d packets reassembled ok", nonZero},
	{"ReasmReqds", "%d reassemblies required", nonZero},
	{"ReasmTimeout", "%d fragments dropped after timeout", nonZero},
}

var sentencesICMP = []sentence{
	{"InAddrMaskReps", "address mask replies: %d", histogramIn},
	{"InAddrMasks", "address mask request: %d", histogramIn},
	{"InDestUnreachs", "destination unreachable: %d", histogramIn},
	{"InEchoReps", "echo replies: %d", histogramIn},
	{"InEchos", "echo requests: %d", histogramIn},
	{"InErrors", "%d input ICMP message failed", always},
	{"InMsgs", "%d ICMP messages received", always},
	{"InParmProbs", "wrong parameters: %d", histogramIn},
	{"InRedirects", "redirects: %d", histogramIn},
	{"InSrcQuenchs", "source quenches: %d", histogramIn},
	{"InTimeExcds", "timeout in transit: %d", histogramIn},
	{"InTimestampReps", "timestamp reply: %d", histogramIn},
	{"InTimestamps", "timestamp request: %d", histogramIn},
	{"OutAddrMaskReps", "address mask replies: %d", histogramOut},
	{"OutAddrMasks", "address mask requests: %d", histogramOut},
	{"OutDestUnreachs", "destination unreachable: %d", histogramOut},
	{"OutEchoReps", "echo replies: %d", histogramOut},
	{"OutEchos", "echo requests: %d", histogramOut},
	{"OutErrors", "%d ICMP messages failed", always},
	{"OutMsgs", "%d ICMP messages sent", always},
	{"OutParmProbs", "wrong parameters: %d", histogramOut},
	{"OutRedirects", "redirect: %d", histogramOut},
	{"OutSrcQuenchs", "source quench: %d", histogramOut},
	{"OutTimeExcds", "time exceeded: %d", histogramOut},
	{"OutTimestampReps", "timestamp replies: %d", histogramOut},
	{"OutTimestamps", "timestamp requests: %d", histogramOut},
}

var sentencesTCP = []sentence{
	{"ActiveOpens", "%d active connection openings", always},
	{"AttemptFails", "%d failed connection attempts", always},
	{"CurrEstab", "%d connections established", always},
	{"EstabResets", "%d connection resets received", always},
	{"InErrs", "%d bad segments received", always},
	{"InSegs", "%d segments received", always},
	{key: "MaxConn"},
	{"OutRsts", "%d resets sent", always},
	{"OutSegs", "%d segments sent out", always},
	{"PassiveOpens", "%d passive connection openings", always},
	{"RetransSegs", "%d segments retransmitted", always},
	{key: "RtoAlgorithm"},
	{key: "RtoMax"},
	{key: "RtoMin"},
}

var sentencesUDP = []sentence{
	{"InDatagrams", "%d packets received", always},
	{"InErrors", "%d packet receive errors", always},
	{"NoPorts", "%d packets to unknown port received", always},
	{"OutDatagrams", "%d packets sent", always},
	{"RcvbufErrors", "%d receive buffer errors", always},
	{"SndbufErrors", "%d send buffer errors", always},
}

var sentencesSCTP = []sentence{
	{"SctpAborteds", "%d Number of Aborteds ", always},
	{"SctpActiveEstabs", "%d Active Associations", always},
	{"SctpChecksumErrors", "%d Number of Packets with invalid Checksum", always},
	{"SctpCurrEstab", "%d Current Associations", always},
	{"SctpFragUsrMsgs", "%d Number of messages fragmented", always},
	{"SctpInCtrlChunks", "%d Number of control chunks received", always},
	{"SctpInOrderChunks", "%d Number of ordered chunks received", always},
	{"SctpInSCTPPacks", "%d Number of SCTP packets received", always},
	{"SctpInUnorderChunks", "%d Number of Unordered chunks received", always},
	{"SctpOutCtrlChunks", "%d Number of control chunks sent", always},
	{"SctpOutOfBlues", "%d Number of Out of Blue packets", always},
	{"SctpOutOrderChunks", "%d Number of ordered chunks sent", always},
	{"SctpOutSCTPPacks", "%d Number of SCTP packets sent", always},
	{"SctpOutUnorderChunks", "%d Number of Unordered chunks sent", always},
	{"SctpPassiveEstabs", "%d Passive Associations", always},
	{"SctpReasmUsrMsgs", "%d Number of messages reassembled ", always},
	{"SctpShutdowns", "%d Number of Graceful Terminations", always},
}

var sentencesTCPExt = []sentence{
	{"DelayedACKLocked", "%d delayed acks further delayed because of locked socket", nonZero},
	{"DelayedACKLost", "Quick ack mode was activated %d times", nonZero},
	{"DelayedACKs", "%d delayed acks sent", nonZero},
	{"EmbryonicRsts", "%d resets received for embryonic SYN_RECV sockets", nonZero},
	{"ListenDrops", "%d SYNs to LISTEN sockets dropped", nonZero},
	{"ListenOverflows", "%d times the listen queue of a socket overflowed", nonZero},
	{"LockDroppedIcmps", "%d ICMP packets dropped because socket was locked", nonZero},
	{"OfoPruned", "%d packets dropped from out-of-order queue because of socket buffer overrun", nonZero},
	{"OutOfWindowIcmps", "%d ICMP packets dropped because they were out-of-window", nonZero},
	{"PAWSActive", "%d active connections rejected because of time stamp", nonZero},
	{"PAWSEstab", "%d packets rejected in established connections because of timestamp", nonZero},
	{"PAWSPassive", "%d passive connections rejected because of time stamp", nonZero},
	{"PruneCalled", "%d packets pruned from receive queue because of socket buffer overrun", nonZero},
	{"RcvPruned", "%d packets pruned from receive queue", nonZero},
	{"SockMallocOOM", "Ran %d times out of system memory during packet sending", nonZero},
	{"SyncookiesFailed", "%d invalid SYN cookies received", nonZero},
	{"SyncookiesRecv", "%d SYN cookies received", nonZero},
	{"SyncookiesSent", "%d SYN cookies sent", nonZero},
	{"TCPAbortFailed", "%d times unable to send RST due to no memory", nonZero},
	{"TCPAbortOnClose", "%d connections reset due to early user close", nonZero},
	{"TCPAbortOnData", "%d connections reset due to unexpected data", nonZero},
	{"TCPAbortOnLinger", "%d connections aborted after user close in linger timeout", nonZero},
	{"TCPAbortOnMemory", "%d connections aborted due to memory pressure", nonZero},
	{"TCPAbortOnSyn", "%d connections reset due to unexpected SYN", nonZero},
	{"TCPAbortOnTimeout", "%d connections aborted due to timeout", nonZero},
	{"TCPDirectCopyFromBacklog", "%d bytes directly in process context from backlog", nonZero},
	{"TCPFACKReorder", "Detected reordering %d times using FACK", nonZero},
	{"TCPFastRetrans", "%d fast retransmits", nonZero},
	{"TCPForwardRetrans", "%d forward retransmits", nonZero},
	{"TCPFullUndo", "%d congestion windows fully recovered without slow start", nonZero},
	{"TCPHPAcks", "%d predicted acknowledgments", nonZero},
	{"TCPHPHits", "%d packet headers predicted", always},
	{"TCPHPHitsToUser", "%d packet headers predicted and directly queued to user", nonZero},
	{"TCPLossFailures", "%d timeouts in loss state", nonZero},
	{"TCPLossUndo", "%d congestion windows recovered without slow start after partial ack", nonZero},
	{"TCPLostRetransmits", "%d retransmits lost", nonZero},
	{"TCPMemoryPressures", "TCP ran low on memory %d times", nonZero},
	{"TCPPartialUndo", "%d congestion windows partially recovered using Hoe heuristic", nonZero},
	{"TCPPrequeued", "%d packets directly queued to recvmsg prequeue", nonZero},
	{"TCPPureAcks", "%d acknowledgments not containing data payload received", nonZero},
	{"TCPRcvCollapsed", "%d packets collapsed in receive queue due to low socket buffer", nonZero},
	{"TCPRenoFailures", "%d timeouts after reno fast retransmit", nonZero},
	{"TCPRenoRecovery", "%d times recovered from packet loss due to fast retransmit", nonZero},
	{"TCPRenoReorder", "Detected reordering %d times using reno fast retransmit", nonZero},
	{"TCPSACKReorder", "Detected reordering %d times using SACK", nonZero},
	{"TCPSchedulerFailed", "%d times receiver scheduled too late for direct processing", nonZero},
	{"TCPSlowStartRetrans", "%d retransmits in slow start", nonZero},
	{"TCPTSReorder", "Detected reordering %d times using time stamp", nonZero},
	{"TW", "%d TCP sockets finished time wait in fast timer", nonZero},
	{"TWRecycled", "%d time wait sockets recycled by time stamp", nonZero},
}

var sentencesIP6 = []sentence{
	{"Ip6FragCreates", "%d fragments created", nonZero},
	{"Ip6FragFails", "%d outgoing packets failed fragmentation", nonZero},
	{"Ip6FragOKs", "%d outgoing packets fragmented ok", nonZero},
	{"Ip6InAddrErrors", "%d with invalid addresses", nonZero},
	{"Ip6InDelivers", "%d incoming packets delivered", always},
	{"Ip6InDiscards", "%d incoming packets discarded", always},
	{"Ip6InHdrErrors", "%d with invalid headers", nonZero},
	{"Ip6InMcastPkts", "%d incoming multicast packets", nonZero},
	{"Ip6InNoRoutes", "%d incoming packets with no route", nonZero},
	{"Ip6InReceives", "%d total packets received", always},
	{"Ip6InTooBigErrors", "%d with packets too big", nonZero},
	{"Ip6InTruncatedPkts", "%d with truncated packets", nonZero},
	{"Ip6InUnknownProtos", "%d with unknown protocol", nonZero},
	{"Ip6OutDiscards", "%d outgoing packets dropped", nonZero},
	{"Ip6OutForwDatagrams", "%d forwarded", always},
	{"Ip6OutMcastPkts", "%d outgoing multicast packets", nonZero},
	{"Ip6OutNoRoutes", "%d dropped because of missing route", nonZero},
	{"Ip6OutRequests", "%d requests sent out", always},
	{"Ip6ReasmFails", "%d packet reassemblies failed", nonZero},
	{"Ip6ReasmOKs", "%d packets reassembled ok", nonZero},
	{"Ip6ReasmReqds", "%d reassemblies required", nonZero},
	{"Ip6ReasmTimeout", "%d fragments dropped after timeout", nonZero},
}

var sentencesICMP6 = []sentence{
	{"Icmp6InDestUnreachs", "destination unreachable: %d", histogramIn},
	{"Icmp6InEchoReplies", "echo replies: %d", histogramIn},
	{"Icmp6InEchos", "echo requests: %d", histogramIn},
	{"Icmp6InErrors", "%d input ICMP message failed", always},
	{"Icmp6InGroupMembQueries", "group member queries: %d", histogramIn},
	{"Icmp6InGroupMembReductions", "group member reductions: %d", histogramIn},
	{"Icmp6InGroupMembResponses", "group member responses: %d", histogramIn},
	{"Icmp6InMsgs", "%d ICMP messages received", always},
	{"Icmp6InNeighborAdvertisements", "neighbour advertisement: %d", histogramIn},
	{"Icmp6InNeighborSolicits", "neighbour solicits: %d", histogramIn},
	{"Icmp6InParmProblems", "parameter problem: %d", histogramIn},
	{"Icmp6InPktTooBigs", "packets too big: %d", histogramIn},
	{"Icmp6InRedirects", "redirects: %d", histogramIn},
	{"Icmp6InRouterAdvertisements", "router advertisement: %d", histogramIn},
	{"Icmp6InRouterSolicits", "router solicits: %d", histogramIn},
	{"Icmp6InTimeExcds", "received ICMPv6 time exceeded: %d", histogramIn},
	{"Icmp6OutDestUnreachs", "destination unreachable: %d", histogramOut},
	{"Icmp6OutEchoReplies", "echo replies: %d", histogramOut},
	{"Icmp6OutEchos", "echo requests: %d", histogramOut},
	{"Icmp6OutGroupMembQueries", "group member queries: %d", histogramOut},
	{"Icmp6OutGroupMembReductions", "group member reductions: %d", histogramOut},
	{"Icmp6OutGroupMembResponses", "group member responses: %d", histogramOut},
	{"Icmp6OutMsgs", "%d ICMP messages sent", always},
	{"Icmp6OutNeighborAdvertisements", "neighbor advertisements: %d", histogramOut},
	{"Icmp6OutNeighborSolicits", "neighbor solicits: %d", histogramOut},
	{"Icmp6OutParmProblems", "parameter problem: %d", histogramOut},
	{"Icmp6OutPktTooBigs", "packets too big: %d", histogramOut},
	{"Icmp6OutRedirects", "redirects: %d", histogramOut},
	{"Icmp6OutRouterSolicits", "router solicits: %d", histogramOut},
	{"Icmp6OutTimeExcds", "sent ICMPv6 time exceeded: %d", histogramOut},
}

var sentencesUDP6 = []sentence{
	{"Udp6InDatagrams", "%d packets received", always},
	{"Udp6InErrors", "%d packet receive errors", always},
	{"Udp6NoPorts", "%d packets to unknown port received", always},
	{"Udp6OutDatagrams", "%d packets sent", always},
}
