from cnnviz.figure.figure import *
