"""Says what is not translated, and which compiled catalogue does not belong to its source.

Works on a copy, so that nothing in the project changes. Exit code 1 when something is to be done.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(".*", "var*", "wheelhouse", "tests", "__pycache__", "node_modules")
SOURCE_LANGUAGE = "en"
"""What the code is written in: its messages need no translation."""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """The command's whole output when it fails, else nothing."""
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - own commands
    return (result.stdout + result.stderr).strip() if result.returncode else ""


def problems(work: Path) -> list[str]:
    """Everything that is to be done, one text each."""
    copy = work / "project"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    failed = run(sys.executable, "manage.py", "makemessages", "--all", "--no-location", "--keep-pot", cwd=copy)
    if failed:
        return [failed]
    found = []
    for source in sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po")):
        compiled, fresh = source.with_suffix(".mo"), work / "fresh.mo"
        all_messages = copy / "locale" / f"{source.stem}.pot"
        complete = ["--use-untranslated"] if source.parts[-3] == SOURCE_LANGUAGE else []
        found.append(run("msgcmp", *complete, source, all_messages))
        found.append(run("msgfmt", "--check", source, "-o", fresh))
        if not compiled.exists() or compiled.read_bytes() != fresh.read_bytes():
            found.append(f"{compiled.relative_to(ROOT)} is old: manage.py compilemessages, then commit it.")
    return [problem for problem in found if problem]


def main() -> int:
    """Print what is to be done; without gettext's programs only CI fails."""
    if not list(ROOT.glob("locale/*/LC_MESSAGES/*.po")):
        print("There are no message files yet.")
        return 0
    if not shutil.which("msgcmp"):
        print("Not checked: gettext is not installed (apt install gettext).")
        return 1 if os.environ.get("CI") else 0
    with tempfile.TemporaryDirectory() as folder:
        found = problems(Path(folder))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
