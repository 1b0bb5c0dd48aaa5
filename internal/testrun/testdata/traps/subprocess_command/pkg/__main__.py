import sys
from pkg.core import add
print(add(int(sys.argv[1]), int(sys.argv[2])))
