// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// image is a kernel on this machine's disk.
type image struct {
	dir string
	// Package and SHA256 (of the image) say which it is.
	Package, SHA256 string
}

const aboutFile = "about.json"

// wantedModules are what Debian's kernels have as modules: what answers sock_diag, in the order in which they need each other, devices that are each other's ends, and what holds packets back.
var wantedModules = []string{"inet_diag", "tcp_diag", "udp_diag", "raw_diag", "unix_diag", "veth", "sch_tbf"}

func (i image) kernel() string { return filepath.Join(i.dir, "vmlinuz") }

// modules are the files of wantedModules, compressed or not.
func (i image) modules() (files []string) {
	for _, name := range wantedModules {
		found, _ := filepath.Glob(filepath.Join(i.dir, name+".ko*"))
		files = append(files, found...)
	}
	return files
}

// cacheDir is where kernels stay from one run to the next.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "netlive", "kernels"), nil
}

// fetch brings the kernels here that are not.
func fetch(ctx context.Context, wanted []kernel) (map[string]image, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	images := map[string]image{}
	var missing []kernel
	for _, k := range wanted {
		if i, err := cached(cache, k); err == nil {
			images[k.id()] = i
		} else {
			missing = append(missing, k)
		}
	}
	if len(missing) == 0 {
		return images, nil
	}
	a, err := newApt(ctx, missing)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(a.dir)
	if err := a.update(ctx, missing); err != nil {
		return nil, err
	}
	for _, k := range missing {
		if images[k.id()], err = a.fetch(ctx, cache, k); err != nil {
			return nil, fmt.Errorf("%s: %w", k.id(), err)
		}
	}
	return images, nil
}

func cached(cache string, k kernel) (image, error) {
	i := image{dir: filepath.Join(cache, k.id())}
	text, err := os.ReadFile(filepath.Join(i.dir, aboutFile))
	if err != nil {
		return i, err
	}
	return i, json.Unmarshal(text, &i)
}

// apt is an apt with sources and lists of its own, so that those of the machine stay as they are.
type apt struct {
	dir   string
	names []string // of all packages with kernels
}

// mirror is where this machine's apt finds Debian.
func mirror(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").Output()
	if err != nil {
		return "", fmt.Errorf("apt-get indextargets: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if site := strings.TrimSuffix(strings.TrimSpace(line), "/"); strings.HasSuffix(site, "/debian") {
			return site, nil
		}
	}
	return "", errors.New("this machine's apt knows no mirror of Debian: kernels are had from there")
}

func newApt(ctx context.Context, wanted []kernel) (*apt, error) {
	debian, err := mirror(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "netlive-apt")
	if err != nil {
		return nil, err
	}
	a := &apt{dir: dir}
	archs := map[string][]string{} // by suite
	var all []string
	for _, k := range wanted {
		for _, s := range k.Suites {
			if !slices.Contains(archs[s], k.Arch) {
				archs[s] = append(archs[s], k.Arch)
			}
		}
		if !slices.Contains(all, k.Arch) {
			all = append(all, k.Arch)
		}
	}
	var sources strings.Builder
	for suite, of := range archs {
		site := debian
		if strings.HasSuffix(suite, "-security") {
			site += "-security"
		}
		fmt.Fprintf(&sources, "deb [arch=%s] %s %s main\n", strings.Join(of, ","), site, suite)
	}
	conf := fmt.Sprintf(`Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "%[1]s/lists";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
APT::Architectures { "%[2]s"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
`, dir, strings.Join(all, `"; "`))
	err = errors.Join(os.MkdirAll(dir+"/lists/partial", 0o755), os.MkdirAll(dir+"/cache/archives/partial", 0o755),
		os.WriteFile(dir+"/status", nil, 0o644), os.WriteFile(dir+"/apt.conf", []byte(conf), 0o644),
		os.WriteFile(dir+"/sources.list", []byte(sources.String()), 0o644))
	return a, err
}

func (a *apt) run(ctx context.Context, name string, args ...string) (string, error) {
	return a.runIn(ctx, a.dir, name, args...)
}

func (a *apt) runIn(ctx context.Context, dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), "APT_CONFIG="+a.dir+"/apt.conf")
	c.Dir = dir
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// update reads what the suites have. A mirror that is being written to gives some lists that do not belong together: what is wanted may be in
// the others.
func (a *apt) update(ctx context.Context, wanted []kernel) error {
	_, updateErr := a.run(ctx, "apt-get", "update", "-q")
	text, err := a.run(ctx, "apt-cache", "pkgnames", "linux-")
	if err != nil {
		return errors.Join(updateErr, err)
	}
	for name := range strings.Lines(text) {
		name, _, _ = strings.Cut(strings.TrimSpace(name), ":") // those of other architectures may be said with them
		a.names = append(a.names, name)
	}
	slices.SortFunc(a.names, compareVersions)
	for _, k := range wanted {
		if len(a.find(k)) == 0 {
			return errors.Join(fmt.Errorf("no package %s in %s", k.Package, strings.Join(k.Suites, " and ")), updateErr)
		}
	}
	return nil
}

// find are the packages that are such a kernel, the highest version first.
func (a *apt) find(k kernel) (names []string) {
	is := regexp.MustCompile("^" + k.Package + "$")
	for _, name := range slices.Backward(a.names) {
		if is.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// fetch puts one kernel into the cache: the newest that the mirror still has, for its lists may name what it has no more.
func (a *apt) fetch(ctx context.Context, cache string, k kernel) (image, error) {
	var errs []error
	for _, name := range a.find(k) {
		i, err := a.fetchPackage(ctx, cache, k, name)
		if err == nil {
			return i, nil
		}
		errs = append(errs, err)
	}
	return image{}, errors.Join(errs...)
}

func (a *apt) fetchPackage(ctx context.Context, cache string, k kernel, name string) (image, error) {
	dir, err := os.MkdirTemp(a.dir, "")
	if err != nil {
		return image{}, err
	}
	if err := a.unpack(ctx, name+":"+k.Arch, dir); err != nil {
		return image{}, err
	}
	// Since 6.19 the modules are in a package of their own, which goes from the mirror before the image does.
	if version, is := strings.CutPrefix(name, "linux-binary-"); is {
		if err := a.unpack(ctx, "linux-modules-"+version+":"+k.Arch, dir); err != nil {
			fmt.Printf("%s: no modules, so no sock_diag and no veth: %v\n", k.id(), err)
		}
	}
	into, err := os.MkdirTemp(a.dir, k.id())
	if err != nil {
		return image{}, err
	}
	i := image{dir: into, Package: name}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		base, _, _ := strings.Cut(d.Name(), ".ko")
		switch {
		case err != nil || d.IsDir():
			return err
		case strings.HasPrefix(d.Name(), "vmlinuz"):
			return os.Rename(file, i.kernel())
		case slices.Contains(wantedModules, base):
			return os.Rename(file, filepath.Join(into, d.Name()))
		}
		return nil
	})
	if err != nil {
		return image{}, err
	}
	text, err := os.ReadFile(i.kernel())
	if err != nil {
		return image{}, fmt.Errorf("%s has no image: %w", name, err)
	}
	if n := len(i.modules()); n != 0 && n != len(wantedModules) {
		return image{}, fmt.Errorf("%s has %d of the modules %v", name, n, wantedModules)
	}
	sum := sha256.Sum256(text)
	i.SHA256 = hex.EncodeToString(sum[:])
	about, err := json.Marshal(i)
	if err != nil {
		return image{}, err
	}
	if err := os.WriteFile(filepath.Join(into, aboutFile), about, 0o644); err != nil {
		return image{}, err
	}
	// All or nothing; the cache may be on another disk.
	to := filepath.Join(cache, k.id())
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return image{}, err
	}
	if err := os.RemoveAll(to); err != nil {
		return image{}, err
	}
	if _, err := a.run(ctx, "cp", "-r", into, to+".part"); err != nil {
		return image{}, err
	}
	i.dir = to
	return i, os.Rename(to+".part", to)
}

// unpack downloads a package and takes the image and the modules out of it.
func (a *apt) unpack(ctx context.Context, name, into string) error {
	debs, err := os.MkdirTemp(a.dir, "debs")
	if err != nil {
		return err
	}
	defer os.RemoveAll(debs)
	if _, err := a.runIn(ctx, debs, "apt-get", "download", "-q", name); err != nil {
		return err
	}
	found, err := filepath.Glob(debs + "/*.deb")
	if err != nil || len(found) != 1 {
		return fmt.Errorf("apt-get download %s: %d files, %w", name, len(found), err)
	}
	// tar fails for a pattern that nothing matches; what is missing is seen by the caller.
	_, err = a.run(ctx, "sh", "-c", `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards --no-anchored 'vmlinuz*' '*_diag.ko*' 'veth.ko*' 'sch_tbf.ko*' 2>/dev/null; true`, "sh", found[0], into)
	return err
}
