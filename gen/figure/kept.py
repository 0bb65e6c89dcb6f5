from cnnviz.figure.kept import *
