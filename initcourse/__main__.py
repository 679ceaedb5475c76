"""Let ``python -m initcourse`` be the command ``initcourse``."""

import sys

from initcourse.command import main

sys.exit(main())
