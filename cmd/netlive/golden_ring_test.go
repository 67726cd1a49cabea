// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The parts of the referee for which x/sys/unix has no call.

// connectRaw is connect(2) with the bytes of a sockaddr.
func connectRaw(fd int, sa []byte) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&sa[0])), uintptr(len(sa)))
	return errno
}

// ringParams is struct io_uring_params of include/uapi/linux/io_uring.h.
type ringParams struct {
	sqEntries, cqEntries, flags, cpu, idle, features, wq uint32
	_                                                    [3]uint32
	sq                                                   struct{ head, tail, mask, entries, flags, dropped, array, _, _, _ uint32 }
	cq                                                   struct{ head, tail, mask, entries, overflow, cqes, flags, _, _, _ uint32 }
}

// ringSQE is struct io_uring_sqe, of which accept uses little.
type ringSQE struct {
	opcode, flags uint8
	ioprio        uint16
	fd            int32
	off, addr     uint64
	len           uint32
	acceptFlags   uint32
	_             [4]uint64
}

// ringCQE is struct io_uring_cqe.
type ringCQE struct {
	user  uint64
	res   int32
	flags uint32
}

const (
	ringOffSQ      = 0
	ringOffCQ      = 0x8000000
	ringOffSQEs    = 0x10000000
	ringGetEvents  = 1
	ringOpAccept   = 13
	ringMapBytes   = 4096 // of one entry: far more than it needs
	ringEntryCount = 1
)

// openRing makes an io_uring; the kernel may refuse.
func openRing(p *ringParams) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, ringEntryCount, uintptr(unsafe.Pointer(p)), 0)
	if errno != 0 {
		return -1, fmt.Errorf("io_uring_setup: %w", errno)
	}
	return int(fd), nil
}

// ringAccept accepts a connection by io_uring: no accept system call is made by anybody.
func ringAccept(listener int) (fd int, err error) {
	var p ringParams
	ring, err := openRing(&p)
	if err != nil {
		return -1, err
	}
	defer unix.Close(ring)
	var maps [3][]byte
	for i, off := range []int64{ringOffSQ, ringOffCQ, ringOffSQEs} {
		if maps[i], err = unix.Mmap(ring, off, ringMapBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
			return -1, fmt.Errorf("mmap: %w", err)
		}
		defer unix.Munmap(maps[i])
	}
	*(*ringSQE)(unsafe.Pointer(&maps[2][0])) = ringSQE{opcode: ringOpAccept, fd: int32(listener), acceptFlags: unix.SOCK_CLOEXEC}
	*(*uint32)(unsafe.Pointer(&maps[0][p.sq.array])) = 0
	*(*uint32)(unsafe.Pointer(&maps[0][p.sq.tail])) = 1 // the system call orders it
	for {
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(ring), 1, 1, ringGetEvents, 0, 0)
		if errno == 0 {
			break
		}
		if errno != unix.EINTR {
			return -1, fmt.Errorf("io_uring_enter: %w", errno)
		}
	}
	done := (*ringCQE)(unsafe.Pointer(&maps[1][p.cq.cqes]))
	if done.res < 0 {
		return -1, syscall.Errno(-done.res)
	}
	return int(done.res), nil
}
