package io.github.jcuconv.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.BlockTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Every public or protected name of an exported package is documented; doclint, in the compiler, checks that the comments are well formed. */
class JavadocTest {
    private static final Pattern EXPORTS = Pattern.compile("exports ([a-z0-9.]+)");

    @Test
    void every_visible_name_is_documented() throws IOException {
        List<Path> sources = new ArrayList<>();
        Matcher exports = EXPORTS.matcher(SourceTree.read(SourceTree.MAIN_JAVA.resolve("module-info.java")));
        while (exports.find()) {
            Path folder = SourceTree.MAIN_JAVA.resolve(exports.group(1).replace('.', '/'));
            SourceTree.files(folder, ".java").stream()
                    .filter(file -> folder.equals(file.getParent()))
                    .forEach(sources::add);
        }
        assertTrue(sources.size() > 20, "found " + sources.size() + " sources only");

        List<String> bare = new ArrayList<>();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null, files, null, List.of("-proc:none"), null, files.getJavaFileObjectsFromPaths(sources));
            DocTrees docs = DocTrees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                new Scanner(docs, unit, bare).scan(unit, null);
            }
        }
        assertEquals(List.of(), bare);
    }

    private static final class Scanner extends TreePathScanner<Void, Void> {
        private final DocTrees docs;
        private final CompilationUnitTree unit;
        private final List<String> bare;

        Scanner(DocTrees docs, CompilationUnitTree unit, List<String> bare) {
            this.docs = docs;
            this.unit = unit;
            this.bare = bare;
        }

        @Override
        public Void visitClass(ClassTree type, Void none) {
            if (!isVisible(type.getModifiers())) {
                return null;
            }
            require(type, type.getSimpleName().toString());
            return super.visitClass(type, null);
        }

        @Override
        public Void visitMethod(MethodTree method, Void none) {
            boolean inherits = method.getModifiers().getAnnotations().stream()
                    .anyMatch(annotation ->
                            annotation.getAnnotationType().toString().equals("Override"));
            // A compact constructor (no parentheses of its own) is described by its record's @param lines.
            boolean describedByRecord = owner().getKind() == Tree.Kind.RECORD && method.getReturnType() == null;
            if (isVisible(method.getModifiers()) && !inherits && !describedByRecord) {
                require(method, owner().getSimpleName() + "." + method.getName());
            }
            return null;
        }

        @Override
        public Void visitVariable(VariableTree field, Void none) {
            // A record's components are described by the record's @param lines.
            boolean isComponent = owner().getKind() == Tree.Kind.RECORD
                    && !field.getModifiers().getFlags().contains(Modifier.STATIC);
            if (isVisible(field.getModifiers()) && !isComponent) {
                require(field, owner().getSimpleName() + "." + field.getName());
            }
            return null;
        }

        @Override
        public Void visitBlock(BlockTree initializer, Void none) {
            return null;
        }

        private ClassTree owner() {
            return (ClassTree) getCurrentPath().getParentPath().getLeaf();
        }

        /** Members of an interface are public without saying so. */
        private boolean isVisible(ModifiersTree modifiers) {
            TreePath parent = getCurrentPath().getParentPath();
            boolean inInterface = parent != null && parent.getLeaf().getKind() == Tree.Kind.INTERFACE;
            return modifiers.getFlags().contains(Modifier.PUBLIC)
                    || modifiers.getFlags().contains(Modifier.PROTECTED)
                    || (inInterface && !modifiers.getFlags().contains(Modifier.PRIVATE));
        }

        private void require(Tree tree, String name) {
            if (docs.getDocComment(getCurrentPath()) == null) {
                long line = unit.getLineMap()
                        .getLineNumber(docs.getSourcePositions().getStartPosition(unit, tree));
                bare.add(Path.of(unit.getSourceFile().getName()).getFileName() + ":" + line + " " + name);
            }
        }
    }
}
