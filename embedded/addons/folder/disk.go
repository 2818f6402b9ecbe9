package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// disk is the folder that holds the folders of volumes. Nothing outside of it can be
// reached through it, not by a symbolic link either.
type disk struct{ root *os.Root }

// openDisk makes the folder where it is missing. Only root looks into it: what a
// volume's own mode allows everyone is meant for the pods that mount it.
func openDisk(dir string) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &disk{root}, nil
}

// make creates the folder of a volume, open to every user: with an fsGroup, the
// kubelet gives it to that group; a pod without one runs as whom it likes. A folder
// that exists is left as it is.
func (d *disk) make(name string) error {
	if err := d.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("folder for the volume: %w", err)
	} else if err != nil {
		return nil
	}
	// Mkdir's mode is cut by the process's mask.
	return d.root.Chmod(name, 0o777)
}

// remove deletes the folder of a volume with all that is in it, and tells whether
// there was one.
func (d *disk) remove(name string) (bool, error) {
	if _, err := d.root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err := d.root.RemoveAll(name); err != nil {
		return false, fmt.Errorf("folder of the volume: %w", err)
	}
	return true, nil
}
