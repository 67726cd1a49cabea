// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// mainSockets opens some twenty sockets of each kind in the directory that its argument
// names, says "ready", and holds them until its stdin ends.
func mainSockets() {
	if err := holdSockets(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func holdSockets(dir string) error {
	var held []any // what is not referred to is collected, and closed
	hold := func(c any, err error) error {
		held = append(held, c)
		return err
	}
	for i := range 4 {
		for _, network := range []string{"tcp4", "tcp6"} {
			address := map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"}[network]
			if i == 0 {
				address = map[string]string{"tcp4": "0.0.0.0:443", "tcp6": "[::]:80"}[network]
			}
			l, err := net.Listen(network, address)
			if err := hold(l, err); err != nil {
				return err
			}
			c, err := net.Dial(network, l.Addr().String())
			if err := hold(c, err); err != nil {
				return err
			}
			if i == 1 {
				continue // left in the queue
			}
			a, err := l.Accept()
			if err := hold(a, err); err != nil {
				return err
			}
			switch i {
			case 2:
				if _, err := c.Write(make([]byte, 1000)); err != nil { // left unread
					return err
				}
			case 3:
				if err := c.(*net.TCPConn).CloseWrite(); err != nil { // FIN_WAIT2 and CLOSE_WAIT
					return err
				}
			}
		}
		for _, address := range []string{"127.0.0.1:" + strconv.Itoa(5300+i), "[::1]:" + strconv.Itoa(5300+i)} {
			u, err := net.ListenPacket("udp", address)
			if err := hold(u, err); err != nil {
				return err
			}
			c, err := net.Dial("udp", address)
			if err := hold(c, err); err != nil {
				return err
			}
			if _, err := c.Write([]byte("unread")); err != nil {
				return err
			}
		}
		for _, network := range []string{"unix", "unixpacket"} {
			for _, path := range []string{filepath.Join(dir, network+strconv.Itoa(i)), "@abstract " + network + strconv.Itoa(i)} {
				l, err := net.Listen(network, path)
				if err := hold(l, err); err != nil {
					return err
				}
				c, err := net.Dial(network, path)
				if err := hold(c, err); err != nil {
					return err
				}
				if i%2 == 0 {
					a, err := l.Accept()
					if err := hold(a, err); err != nil {
						return err
					}
				}
			}
		}
		d, err := net.ListenPacket("unixgram", filepath.Join(dir, "a datagram"+strconv.Itoa(i)))
		if err := hold(d, err); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	for range held {
	}
	return err
}
