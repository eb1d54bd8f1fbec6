"""Makes the virtual environment from the hashed lock, or says in one sentence why it cannot.

Runs before anything is installed and under whatever `python3` is: standard library only, and a syntax that an old
Python still understands, so that it can say that it is too old.
"""

import hashlib
import os
import subprocess
import sys

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENVIRONMENT = os.path.join(ROOT, ".venv")


def main(arguments, version=sys.version_info[:2]):
    """Exit code 0 once the environment holds what the lock (`dev` for the developers' one) says."""
    if version < OLDEST:
        print(
            "Broker OS needs Python %d.%d or newer, and this is %d.%d; "
            "name a newer one, for example: make demo PYTHON=python3.12" % (OLDEST + tuple(version))
        )
        return 1
    lock = os.path.join(
        ROOT, "requirements-dev.lock" if "dev" in arguments else "requirements.lock"
    )
    try:
        install(lock)
    except (OSError, subprocess.CalledProcessError) as error:
        print("The packages could not be installed (%s); the lines above say why." % error)
        return 1
    return 0


def install(lock):
    """Create the environment when missing and install the lock unless exactly that was installed before."""
    python = os.path.join(ENVIRONMENT, "bin", "python")
    stamp = os.path.join(ENVIRONMENT, "installed-" + os.path.basename(lock))
    wanted = fingerprint(lock)
    if os.path.exists(python) and os.path.exists(stamp):
        with open(stamp) as handle:
            if handle.read() == wanted:
                return
    if not os.path.exists(python):
        subprocess.check_call([sys.executable, "-m", "venv", ENVIRONMENT])
    print("Installing the packages of " + os.path.basename(lock) + " ...")
    subprocess.check_call(
        [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            lock,
        ]
    )
    with open(stamp, "w") as handle:
        handle.write(wanted)


def fingerprint(lock):
    """What is installed by a lock: its own text and, for the developers' lock, also the one that it includes."""
    digest = hashlib.sha256()
    for path in (lock, os.path.join(ROOT, "requirements.lock")):
        with open(path, "rb") as handle:
            digest.update(handle.read())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
