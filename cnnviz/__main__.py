"""`python -m cnnviz` is the command `cnnviz`."""

import sys

from cnnviz.cli import main

sys.exit(main())
