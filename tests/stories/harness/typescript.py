"""JSON against types that somebody published, by the compiler of TypeScript.

Each document is compiled as a literal, so that a key too many is as much a fault as a wrong value.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

TYPES = Path(__file__).parent.parent / "node"


def compile_all(
    node_modules: Path, directory: Path, types: str, name: str, documents: dict[str, Any]
) -> str:
    """Hold documents to the type `name` of `node/<types>.ts`, and say what the compiler said."""
    compiler = node_modules / "typescript" / "bin" / "tsc"
    assert compiler.exists(), "run ./test install"
    (directory / "node_modules").symlink_to(node_modules)
    (directory / f"{types}.ts").write_text((TYPES / f"{types}.ts").read_text())
    head = f"import type {{ {name} }} from './{types}';\nexport const it: {name} = "
    for document, content in documents.items():
        (directory / f"{document}.ts").write_text(head + json.dumps(content, indent=2) + ";\n")
    options = {
        "module": "esnext",
        "moduleResolution": "bundler",
        "noEmit": True,
        # The declarations of Grafana's package name packages that types do not need.
        "skipLibCheck": True,
        "strict": True,
        "target": "es2022",
        "types": [],
    }
    project = {"compilerOptions": options, "files": [f"{document}.ts" for document in documents]}
    (directory / "tsconfig.json").write_text(json.dumps(project))
    command = ["node", compiler, "--project", directory, "--pretty", "false"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300)
    assert (done.returncode == 0) == (done.stdout == ""), done.stderr
    return done.stdout
